"""Areas, coverage, contact points, verified mailboxes, and the directory's one version."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE area (
    id uuid CONSTRAINT pk_area PRIMARY KEY,
    code text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    name_welsh text,
    official_name text,
    authority_type text,
    country text NOT NULL,
    region_code text,
    region_name text,
    force_id uuid NOT NULL CONSTRAINT fk_area_force_id REFERENCES organisation,
    csa_id uuid CONSTRAINT fk_area_csa_id REFERENCES organisation,
    previous_codes text[] NOT NULL DEFAULT '{}',
    valid_from date NOT NULL,
    valid_to date,
    superseded_by_id uuid CONSTRAINT fk_area_superseded_by_id REFERENCES area,
    source text NOT NULL,
    source_date text NOT NULL,
    confidence text,
    verification text NOT NULL DEFAULT 'unverified',
    edited_at timestamptz,
    edited_by text,
    CONSTRAINT uq_area_code_valid_from UNIQUE (code, valid_from),
    CONSTRAINT ck_area_code CHECK (code ~ '^[A-Z][0-9]{8}$'),
    CONSTRAINT ck_area_kind CHECK (kind IN ('district', 'county')),
    CONSTRAINT ck_area_dates CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT ck_area_verification CHECK (verification IN ('unverified', 'verified'))
);
CREATE UNIQUE INDEX uq_area_code_open ON area (code) WHERE valid_to IS NULL;
CREATE INDEX ix_area_force_id ON area (force_id);
CREATE INDEX ix_area_csa_id ON area (csa_id);

CREATE TABLE coverage (
    id uuid CONSTRAINT pk_coverage PRIMARY KEY,
    unit_id uuid NOT NULL CONSTRAINT fk_coverage_unit_id REFERENCES unit,
    area_id uuid NOT NULL CONSTRAINT fk_coverage_area_id REFERENCES area,
    valid_from date NOT NULL,
    valid_to date,
    basis text NOT NULL,
    confidence text,
    as_of text NOT NULL,
    source text NOT NULL,
    verification text NOT NULL DEFAULT 'unverified',
    edited_at timestamptz,
    edited_by text,
    CONSTRAINT ck_coverage_dates CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT ck_coverage_verification CHECK (verification IN ('unverified', 'verified'))
);
CREATE UNIQUE INDEX uq_coverage_unit_id_area_id_open ON coverage (unit_id, area_id)
    WHERE valid_to IS NULL;
CREATE INDEX ix_coverage_area_id ON coverage (area_id);

CREATE TABLE contact_point (
    id uuid CONSTRAINT pk_contact_point PRIMARY KEY,
    unit_id uuid NOT NULL CONSTRAINT fk_contact_point_unit_id REFERENCES unit,
    reference_key text,
    purpose text NOT NULL,
    channel text NOT NULL,
    value text NOT NULL,
    audience text NOT NULL,
    priority integer NOT NULL DEFAULT 100,
    hours jsonb,
    bank_holiday_rule text NOT NULL DEFAULT 'as-weekday',
    exceptions jsonb NOT NULL DEFAULT '[]',
    note text,
    status text NOT NULL DEFAULT 'actual',
    valid_from date NOT NULL,
    valid_to date,
    source text NOT NULL,
    source_date text NOT NULL,
    verification text NOT NULL DEFAULT 'unverified',
    verified_at timestamptz,
    verified_by text,
    edited_at timestamptz,
    edited_by text,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT ck_contact_point_purpose CHECK (purpose IN (
        'missing-children-team', 'coordinator', 'duty-inspector', 'control-room',
        'switchboard-from-outside', 'non-emergency', 'placement', 'meeting',
        'childrens-social-care', 'edt', 'national-advice', 'helpline', 'anonymous-information',
        'media', 'general')),
    CONSTRAINT ck_contact_point_channel CHECK (
        channel IN ('telephone', 'mobile', 'text', 'email', 'secure-email', 'web')),
    CONSTRAINT ck_contact_point_value CHECK (
        value = btrim(value) AND length(value) BETWEEN 1 AND 500),
    CONSTRAINT ck_contact_point_audience CHECK (audience IN ('public', 'professional', 'police')),
    CONSTRAINT ck_contact_point_hours CHECK (jsonb_typeof(hours) = 'array'),
    CONSTRAINT ck_contact_point_exceptions CHECK (jsonb_typeof(exceptions) = 'array'),
    CONSTRAINT ck_contact_point_bank_holiday_rule CHECK (
        bank_holiday_rule IN ('as-weekday', 'as-sunday', 'closed')),
    CONSTRAINT ck_contact_point_status CHECK (status IN ('actual', 'exercise')),
    CONSTRAINT ck_contact_point_dates CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CONSTRAINT ck_contact_point_verification CHECK (
        verification IN ('unverified', 'verified')
        AND (verification = 'verified') = (verified_at IS NOT NULL AND verified_by IS NOT NULL)),
    CONSTRAINT ck_contact_point_version CHECK (version > 0)
);
CREATE UNIQUE INDEX uq_contact_point_reference_key_open ON contact_point (reference_key)
    WHERE valid_to IS NULL;
CREATE INDEX ix_contact_point_unit_id ON contact_point (unit_id);

CREATE TABLE mailbox_verification (
    id uuid CONSTRAINT pk_mailbox_verification PRIMARY KEY,
    contact_point_id uuid NOT NULL
        CONSTRAINT fk_mailbox_verification_contact_point_id REFERENCES contact_point,
    value text NOT NULL,
    method text NOT NULL,
    spoke_to text NOT NULL,
    number_rung text NOT NULL,
    verified_by_id uuid,
    verified_by_name text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT ck_mailbox_verification_method CHECK (method = 'call-back'),
    CONSTRAINT ck_mailbox_verification_spoke_to CHECK (length(btrim(spoke_to)) > 0),
    CONSTRAINT ck_mailbox_verification_number_rung CHECK (length(btrim(number_rung)) > 0)
);
CREATE INDEX ix_mailbox_verification_contact_point_id_at
    ON mailbox_verification (contact_point_id, at);

CREATE TABLE directory_version (
    one boolean CONSTRAINT pk_directory_version PRIMARY KEY DEFAULT true,
    version bigint NOT NULL,
    CONSTRAINT ck_directory_version_one CHECK (one)
);
INSERT INTO directory_version (version) VALUES (1);

GRANT SELECT, INSERT, UPDATE ON area, coverage, contact_point TO hub_app;
GRANT SELECT, INSERT ON mailbox_verification TO hub_app;
GRANT SELECT ON directory_version TO hub_app;

-- Deferred to the commit: the version's row is the last lock that a transaction takes, so versions
-- rise in commit order and two editors never deadlock on it; and once per transaction is enough.
CREATE FUNCTION bump_directory_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE directory_version SET version = version + 1 WHERE xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END
$$;
"""

# What the directory's snapshot is made of, and which changed columns of it matter (none: all).
WATCHED: dict[str, tuple[str, ...]] = {
    "organisation": (),
    "unit": (),
    "area": (),
    "coverage": (),
    "contact_point": (),
    "membership": (),
    "person": ("status", "suspended_at"),
    "oauth_client": ("unit_id", "scopes", "revoked_at"),
}


def upgrade() -> None:
    """Make the tables, and the triggers that move the version when what they show has changed."""
    op.execute(TABLES)
    for table, columns in WATCHED.items():
        if columns:
            changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns)
        else:
            changed = "OLD.* IS DISTINCT FROM NEW.*"
        for event, when in (("INSERT", ""), ("UPDATE", f"WHEN ({changed})"), ("DELETE", "")):
            op.execute(f"""
                CREATE CONSTRAINT TRIGGER directory_version_on_{event.lower()}
                AFTER {event} ON {table}
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {when}
                EXECUTE FUNCTION bump_directory_version()
            """)


def downgrade() -> None:
    """Drop the triggers and the tables."""
    for table in WATCHED:
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER directory_version_on_{event} ON {table}")
    op.execute("""
        DROP FUNCTION bump_directory_version();
        DROP TABLE directory_version, mailbox_verification, contact_point, coverage, area;
    """)
