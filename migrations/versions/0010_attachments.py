"""Attachments: files that come with messages, in encrypted pieces."""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = """
-- A file that was uploaded. Its case may be one that its message is yet to open, so it names the
-- case's key and no row of cases; a message that takes it ties it to the case.
CREATE TABLE attachment_file (
    id uuid CONSTRAINT pk_attachment_file PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_attachment_file_case_id REFERENCES data_key (subject_id),
    unit_id uuid NOT NULL CONSTRAINT fk_attachment_file_unit_id REFERENCES unit,
    uploaded_by uuid NOT NULL,
    uploaded_by_name text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    kind text NOT NULL,
    audience text,
    media_type text NOT NULL,
    size integer NOT NULL,
    scan text NOT NULL,
    name bytea NOT NULL,
    thumbnail bytea,
    CONSTRAINT uq_attachment_file_id_case_id UNIQUE (id, case_id),
    CONSTRAINT ck_attachment_file_kind CHECK (kind IN (
        'photo', 'vital-information-form', 'document', 'image', 'other')),
    CONSTRAINT ck_attachment_file_audience CHECK (
        audience IN ('police', 'statutory', 'all-parties', 'units')),
    CONSTRAINT ck_attachment_file_size CHECK (size BETWEEN 1 AND 20971520),
    CONSTRAINT ck_attachment_file_scan CHECK (scan IN ('clean', 'not-scanned'))
);
CREATE INDEX ix_attachment_file_uploaded_at ON attachment_file (uploaded_at);
CREATE INDEX ix_attachment_file_case_id ON attachment_file (case_id);

CREATE TABLE attachment_chunk (
    file_id uuid NOT NULL CONSTRAINT fk_attachment_chunk_file_id
        REFERENCES attachment_file ON DELETE CASCADE,
    number integer NOT NULL,
    ciphertext bytea NOT NULL,
    CONSTRAINT pk_attachment_chunk PRIMARY KEY (file_id, number)
);
ALTER TABLE attachment_chunk ALTER ciphertext SET STORAGE EXTERNAL;

-- What a message took: file and message are of one case, and no file is taken twice.
CREATE TABLE attachment (
    file_id uuid CONSTRAINT pk_attachment PRIMARY KEY,
    case_id uuid NOT NULL,
    message_id uuid NOT NULL,
    number integer NOT NULL,
    audience text NOT NULL,
    CONSTRAINT fk_attachment_file_id
        FOREIGN KEY (file_id, case_id) REFERENCES attachment_file (id, case_id),
    CONSTRAINT fk_attachment_message_id
        FOREIGN KEY (message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT uq_attachment_message_id_number UNIQUE (message_id, number),
    CONSTRAINT ck_attachment_number CHECK (number BETWEEN 1 AND 10),
    CONSTRAINT ck_attachment_audience CHECK (
        audience IN ('police', 'statutory', 'all-parties', 'units'))
);
CREATE INDEX ix_attachment_case_id ON attachment (case_id);

-- What a message took cannot be deleted: its file is referred to, and its pieces go with a file alone.
GRANT SELECT, INSERT, DELETE ON attachment_file TO hub_app;
GRANT SELECT, INSERT ON attachment_chunk, attachment TO hub_app;
"""

RULES = """
-- Rule 7, for whoever asks: what was sent stays as it was sent.
CREATE TRIGGER attachment_immutable BEFORE UPDATE OR DELETE ON attachment
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachment_file_immutable BEFORE UPDATE ON attachment_file
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attachment_chunk_immutable BEFORE UPDATE ON attachment_chunk
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_attachment_chunk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM attachment a WHERE a.file_id = OLD.file_id) THEN
            RETURN OLD;
        END IF;
    ELSIF NOT EXISTS (SELECT FROM attachment a WHERE a.file_id = NEW.file_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a file that was sent stays as it was sent'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_message_immutable';
END $$;
CREATE TRIGGER attachment_chunk_sent BEFORE INSERT OR DELETE ON attachment_chunk
    FOR EACH ROW EXECUTE FUNCTION guard_attachment_chunk();

-- The audience of what is attached is its message's or narrower, never wider (rule 8).
CREATE FUNCTION check_attachment_audience() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_message text;
BEGIN
    SELECT audience INTO of_message FROM message WHERE id = NEW.message_id;
    IF NEW.audience <> of_message AND (of_message = 'units' OR NEW.audience <> 'units'
            AND array_position(ARRAY['police', 'statutory', 'all-parties'], NEW.audience)
                > array_position(ARRAY['police', 'statutory', 'all-parties'], of_message)) THEN
        RAISE EXCEPTION 'an attachment is for no more than its message is'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_attachment_not_wider';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER attachment_not_wider AFTER INSERT ON attachment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_attachment_audience();
"""

DOWNGRADE = """
DROP TABLE attachment, attachment_chunk, attachment_file;
DROP FUNCTION guard_attachment_chunk, check_attachment_audience;
"""


def upgrade() -> None:
    """Make tables and rules."""
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them, and what was attached with them."""
    op.execute(DOWNGRADE)
