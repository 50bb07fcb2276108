"""People, memberships, sessions, sign-in attempts, partner systems, idempotency keys."""

from alembic import op

revision = "0003"
down_revision = "0002"

UPGRADE = """
CREATE TABLE person (
    id uuid CONSTRAINT pk_person PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL,
    rank_or_role text,
    collar_number text,
    password_hash text NOT NULL,
    status text NOT NULL,
    suspended_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT ck_person_status CHECK (status IN ('actual', 'exercise', 'test')),
    CONSTRAINT ck_person_email CHECK (email = lower(email) AND length(email) <= 254),
    CONSTRAINT ck_person_name CHECK (length(name) BETWEEN 1 AND 200)
);
CREATE UNIQUE INDEX uq_person_email ON person (email);

CREATE TABLE membership (
    id uuid CONSTRAINT pk_membership PRIMARY KEY,
    person_id uuid NOT NULL CONSTRAINT fk_membership_person_id REFERENCES person,
    unit_id uuid NOT NULL CONSTRAINT fk_membership_unit_id REFERENCES unit,
    role text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    CONSTRAINT ck_membership_role CHECK (role IN (
        'practitioner', 'officer', 'supervisor', 'directory-reader', 'adjudicator',
        'directory-editor', 'administrator', 'national-administrator', 'auditor')),
    CONSTRAINT ck_membership_dates CHECK (valid_to IS NULL OR valid_to > valid_from)
);
CREATE UNIQUE INDEX uq_membership_person_id_unit_id_role_open
    ON membership (person_id, unit_id, role) WHERE valid_to IS NULL;
CREATE INDEX ix_membership_unit_id ON membership (unit_id);

CREATE TABLE web_session (
    id uuid CONSTRAINT pk_web_session PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT uq_web_session_token_hash UNIQUE,
    person_id uuid NOT NULL CONSTRAINT fk_web_session_person_id REFERENCES person,
    unit_id uuid CONSTRAINT fk_web_session_unit_id REFERENCES unit,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT ck_web_session_token_hash CHECK (length(token_hash) = 32)
);
CREATE INDEX ix_web_session_person_id ON web_session (person_id);

CREATE TABLE sign_in_attempt (
    id uuid CONSTRAINT pk_sign_in_attempt PRIMARY KEY,
    account bytea NOT NULL,
    address bytea NOT NULL,
    at timestamptz NOT NULL,
    succeeded boolean NOT NULL
);
CREATE INDEX ix_sign_in_attempt_account_at ON sign_in_attempt (account, at);
CREATE INDEX ix_sign_in_attempt_address_at ON sign_in_attempt (address, at);

CREATE TABLE oauth_client (
    id uuid CONSTRAINT pk_oauth_client PRIMARY KEY,
    client_id text NOT NULL CONSTRAINT uq_oauth_client_client_id UNIQUE,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    organisation_id uuid NOT NULL CONSTRAINT fk_oauth_client_organisation_id REFERENCES organisation,
    unit_id uuid NOT NULL CONSTRAINT fk_oauth_client_unit_id REFERENCES unit,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT ck_oauth_client_scopes CHECK (
        scopes <@ ARRAY['directory:read', 'cases:read', 'cases:write'] AND cardinality(scopes) > 0),
    CONSTRAINT fk_oauth_client_unit_of_organisation
        FOREIGN KEY (unit_id, organisation_id) REFERENCES unit (id, organisation_id)
);
CREATE INDEX ix_oauth_client_unit_id ON oauth_client (unit_id);

CREATE TABLE idempotency_key (
    owner_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    reply jsonb,
    at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (owner_id, key),
    CONSTRAINT ck_idempotency_key_key CHECK (length(key) BETWEEN 1 AND 255)
);

GRANT SELECT, INSERT, UPDATE ON person, membership, web_session, oauth_client, idempotency_key
    TO hub_app;
GRANT SELECT, INSERT, DELETE ON sign_in_attempt TO hub_app;
"""

DOWNGRADE = """
DROP TABLE idempotency_key;
DROP TABLE oauth_client;
DROP TABLE sign_in_attempt;
DROP TABLE web_session;
DROP TABLE membership;
DROP TABLE person;
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
