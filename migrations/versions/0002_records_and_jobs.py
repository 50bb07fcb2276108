"""Keys, the audit log and its seals, reasons for looking, and the outbox."""

from alembic import op

revision = "0002"
down_revision = "0001"

UPGRADE = """
CREATE TABLE key_check (
    name text CONSTRAINT pk_key_check PRIMARY KEY,
    hmac bytea NOT NULL
);
GRANT SELECT, INSERT ON key_check TO hub_app;

CREATE TABLE data_key (
    subject_id uuid CONSTRAINT pk_data_key PRIMARY KEY,
    wrapped bytea,
    kek_epoch integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CONSTRAINT ck_data_key_destroyed CHECK ((destroyed_at IS NULL) = (wrapped IS NOT NULL))
);
GRANT SELECT, INSERT, UPDATE (wrapped, kek_epoch, destroyed_at) ON data_key TO hub_app;

CREATE FUNCTION refuse_revived_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a destroyed key stays destroyed' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER data_key_stays_destroyed BEFORE UPDATE ON data_key
    FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL) EXECUTE FUNCTION refuse_revived_key();

CREATE TABLE audit_record (
    id uuid CONSTRAINT pk_audit_record PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL,
    who_kind text NOT NULL,
    who_id uuid,
    who_name text NOT NULL,
    who_organisation_id uuid,
    who_unit_id uuid,
    session_id uuid,
    action text NOT NULL,
    case_id uuid,
    object_kind text,
    object_id uuid,
    reason_code text,
    reason bytea,
    detail jsonb,
    automatic boolean NOT NULL DEFAULT false,
    CONSTRAINT ck_audit_record_who_kind CHECK (
        who_kind IN ('person', 'client', 'guest', 'system', 'public')),
    CONSTRAINT ck_audit_record_who_id CHECK (
        who_kind NOT IN ('person', 'client') OR who_id IS NOT NULL),
    CONSTRAINT ck_audit_record_action CHECK (action ~ '^[a-z][a-z0-9-]*([.][a-z][a-z0-9-]*)*$'),
    CONSTRAINT ck_audit_record_object CHECK ((object_id IS NULL) OR (object_kind IS NOT NULL)),
    CONSTRAINT ck_audit_record_detail CHECK (jsonb_typeof(detail) = 'object')
);
CREATE INDEX ix_audit_record_xid_id ON audit_record (xid, id);
CREATE INDEX ix_audit_record_case_id_at ON audit_record (case_id, at) WHERE case_id IS NOT NULL;

CREATE TABLE audit_seal (
    seq bigint CONSTRAINT pk_audit_seal PRIMARY KEY,
    audit_id uuid NOT NULL CONSTRAINT fk_audit_seal_audit_id REFERENCES audit_record,
    mac bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT uq_audit_seal_audit_id UNIQUE (audit_id),
    CONSTRAINT ck_audit_seal_seq CHECK (seq > 0),
    CONSTRAINT ck_audit_seal_mac CHECK (octet_length(mac) = 32)
);

CREATE FUNCTION refuse_change_of_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_record_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record();
CREATE TRIGGER audit_seal_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record();

-- The transaction id is PostgreSQL's own word, never the application's: no INSERT on xid.
GRANT SELECT, INSERT (
    id, at, who_kind, who_id, who_name, who_organisation_id, who_unit_id, session_id, action,
    case_id, object_kind, object_id, reason_code, reason, detail, automatic
) ON audit_record TO hub_app;
GRANT SELECT, INSERT ON audit_seal TO hub_app;

CREATE TABLE consultation_reason (
    session_id uuid,
    case_id uuid,
    reason_code text NOT NULL,
    reason bytea,
    at timestamptz NOT NULL,
    CONSTRAINT pk_consultation_reason PRIMARY KEY (session_id, case_id)
);
GRANT SELECT, INSERT ON consultation_reason TO hub_app;

CREATE TABLE outbox_job (
    id uuid CONSTRAINT pk_outbox_job PRIMARY KEY,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    dedupe_key text,
    run_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    woken_at timestamptz,
    finished_at timestamptz,
    last_error_code text,
    created_at timestamptz NOT NULL,
    CONSTRAINT uq_outbox_job_dedupe_key UNIQUE (dedupe_key),
    CONSTRAINT ck_outbox_job_attempts CHECK (attempts >= 0)
);
CREATE INDEX ix_outbox_job_due ON outbox_job (run_at, id) WHERE finished_at IS NULL;
GRANT SELECT, INSERT, UPDATE (run_at, attempts, lease_until, woken_at, finished_at, last_error_code)
    ON outbox_job TO hub_app;
"""

DOWNGRADE = """
DROP TABLE outbox_job;
DROP TABLE consultation_reason;
DROP TABLE audit_seal;
DROP TABLE audit_record;
DROP FUNCTION refuse_change_of_record();
DROP TABLE data_key;
DROP FUNCTION refuse_revived_key();
DROP TABLE key_check;
"""


def upgrade() -> None:
    """Make the tables; the running hub may only add to the audit log and its seals."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop the tables with all that is on record."""
    op.execute(DOWNGRADE)
