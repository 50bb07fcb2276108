"""Organisations and units, in time; and the role that the running hub acts as."""

from alembic import op

revision = "0001"
down_revision = None

UPGRADE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'hub_app') THEN
        CREATE ROLE hub_app NOLOGIN;
    END IF;
END
$$;

DO $$
BEGIN
    IF NOT pg_has_role(session_user, 'hub_app', 'MEMBER') THEN
        EXECUTE format('GRANT hub_app TO %I', session_user);
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO hub_app;
GRANT SELECT ON alembic_version TO hub_app;

CREATE TABLE organisation (
    id uuid CONSTRAINT pk_organisation PRIMARY KEY,
    code text NOT NULL,
    kind text NOT NULL,
    police_kind text,
    name text NOT NULL,
    name_welsh text,
    other_names text[] NOT NULL DEFAULT '{}',
    country text,
    website text,
    valid_from date NOT NULL,
    valid_to date,
    superseded_by_id uuid CONSTRAINT fk_organisation_superseded_by_id REFERENCES organisation,
    source text NOT NULL,
    source_date text NOT NULL,
    verification text NOT NULL DEFAULT 'unverified',
    edited_at timestamptz,
    edited_by text,
    CONSTRAINT uq_organisation_code UNIQUE (code),
    CONSTRAINT ck_organisation_code CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9-]{0,63}$'),
    CONSTRAINT ck_organisation_kind CHECK (
        kind IN ('police', 'local-authority', 'health', 'provider', 'voluntary', 'national')),
    CONSTRAINT ck_organisation_police_kind CHECK (
        (kind = 'police') = (police_kind IS NOT NULL)
        AND police_kind IN ('territorial', 'national-special', 'neighbouring')),
    CONSTRAINT ck_organisation_dates CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT ck_organisation_verification CHECK (verification IN ('unverified', 'verified'))
);

CREATE TABLE unit (
    id uuid CONSTRAINT pk_unit PRIMARY KEY,
    code text NOT NULL,
    organisation_id uuid NOT NULL CONSTRAINT fk_unit_organisation_id REFERENCES organisation,
    parent_id uuid CONSTRAINT fk_unit_parent_id REFERENCES unit,
    kind text NOT NULL,
    kind_label text NOT NULL,
    name text NOT NULL,
    other_names text[] NOT NULL DEFAULT '{}',
    valid_from date NOT NULL,
    valid_to date,
    superseded_by_id uuid CONSTRAINT fk_unit_superseded_by_id REFERENCES unit,
    confidence text,
    source text NOT NULL,
    source_date text NOT NULL,
    note text,
    verification text NOT NULL DEFAULT 'unverified',
    edited_at timestamptz,
    edited_by text,
    CONSTRAINT uq_unit_code UNIQUE (code),
    CONSTRAINT uq_unit_id_organisation_id UNIQUE (id, organisation_id),
    CONSTRAINT fk_unit_parent_same_organisation
        FOREIGN KEY (parent_id, organisation_id) REFERENCES unit (id, organisation_id),
    CONSTRAINT ck_unit_code CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9-]*(/[A-Za-z0-9-]+){0,3}$' AND length(code) <= 200),
    CONSTRAINT ck_unit_kind CHECK (kind IN (
        'force', 'bcu', 'missing-children-team', 'control-room', 'childrens-social-care', 'edt',
        'national', 'other')),
    CONSTRAINT ck_unit_dates CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT ck_unit_parent CHECK (parent_id <> id),
    CONSTRAINT ck_unit_verification CHECK (verification IN ('unverified', 'verified'))
);
CREATE INDEX ix_unit_organisation_id ON unit (organisation_id);
CREATE INDEX ix_unit_parent_id ON unit (parent_id);

GRANT SELECT, INSERT, UPDATE ON organisation, unit TO hub_app;
"""

DOWNGRADE = """
DROP TABLE unit;
DROP TABLE organisation;
"""


def upgrade() -> None:
    """Make the tables; nothing may be deleted from them by the running hub."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop the tables; the role stays, since other databases of the cluster may use it."""
    op.execute(DOWNGRADE)
