"""The directory kept by its own forces: changes on record, units in time, links, reports."""

from alembic import op

revision = "0006"
down_revision = "0005"

PURPOSES = """
    'missing-children-team', 'coordinator', 'duty-inspector', 'control-room',
    'switchboard-from-outside', 'non-emergency', 'placement', 'meeting',
    'childrens-social-care', 'edt', 'national-advice', 'helpline', 'anonymous-information',
    'media', 'general'"""

COLUMNS = f"""
ALTER TABLE organisation
    ADD former_names text[] NOT NULL DEFAULT '{{}}',
    ADD mail_domains text[] NOT NULL DEFAULT '{{}}';
ALTER TABLE unit
    ADD name_welsh text,
    ADD former_names text[] NOT NULL DEFAULT '{{}}',
    ADD version integer NOT NULL DEFAULT 1;
ALTER TABLE coverage
    ADD sectors text[],
    ADD CONSTRAINT ck_coverage_sectors CHECK (sectors IS NULL OR cardinality(sectors) > 0);
DROP INDEX uq_coverage_unit_id_area_id_open;
ALTER TABLE contact_point
    ADD suggested_by text,
    ADD suggested_by_id uuid,
    ADD bounced_at timestamptz,
    ADD closed_at timestamptz,
    DROP CONSTRAINT ck_contact_point_purpose,
    ADD CONSTRAINT ck_contact_point_purpose CHECK (purpose IN ({PURPOSES}, 'mash')),
    DROP CONSTRAINT ck_contact_point_verification,
    ADD CONSTRAINT ck_contact_point_verification CHECK (
        verification IN ('unverified', 'verified', 'suggested')
        AND (verification = 'verified') = (verified_at IS NOT NULL AND verified_by IS NOT NULL)
        AND (verification <> 'suggested' OR suggested_by IS NOT NULL)),
    ADD CONSTRAINT ck_contact_point_closed CHECK (closed_at IS NULL OR valid_to IS NOT NULL);
ALTER TABLE oauth_client
    DROP CONSTRAINT ck_oauth_client_scopes,
    ADD CONSTRAINT ck_oauth_client_scopes CHECK (cardinality(scopes) > 0
        AND scopes <@ ARRAY['directory:read', 'directory:write', 'cases:read', 'cases:write']);
"""

TABLES = """
CREATE TABLE unit_succession (
    unit_id uuid NOT NULL CONSTRAINT fk_unit_succession_unit_id REFERENCES unit,
    successor_id uuid NOT NULL CONSTRAINT fk_unit_succession_successor_id REFERENCES unit,
    CONSTRAINT pk_unit_succession PRIMARY KEY (unit_id, successor_id),
    CONSTRAINT ck_unit_succession_other CHECK (unit_id <> successor_id)
);

CREATE TABLE unit_renaming (
    id uuid CONSTRAINT pk_unit_renaming PRIMARY KEY,
    unit_id uuid NOT NULL CONSTRAINT fk_unit_renaming_unit_id REFERENCES unit,
    name text NOT NULL CONSTRAINT ck_unit_renaming_name CHECK (length(btrim(name)) > 0),
    effective_on date NOT NULL,
    applied_at timestamptz
);
CREATE UNIQUE INDEX uq_unit_renaming_unit_id_open ON unit_renaming (unit_id)
    WHERE applied_at IS NULL;

CREATE TABLE directory_change (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_directory_change PRIMARY KEY,
    version bigint,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    unit_id uuid,
    before jsonb,
    after jsonb NOT NULL,
    who_id uuid,
    who text NOT NULL,
    why text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX ix_directory_change_version ON directory_change (version);
CREATE INDEX ix_directory_change_object_id ON directory_change (object_id, id);
CREATE INDEX ix_directory_change_unit_id ON directory_change (unit_id, id);

CREATE TABLE directory_position (
    kind text NOT NULL CONSTRAINT ck_directory_position_kind
        CHECK (kind IN ('organisation', 'unit', 'area')),
    object_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT pk_directory_position PRIMARY KEY (kind, object_id)
);

CREATE TABLE directory_delegation (
    id uuid CONSTRAINT pk_directory_delegation PRIMARY KEY,
    organisation_id uuid NOT NULL
        CONSTRAINT fk_directory_delegation_organisation_id REFERENCES organisation,
    to_organisation_id uuid NOT NULL
        CONSTRAINT fk_directory_delegation_to_organisation_id REFERENCES organisation,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT ck_directory_delegation_other CHECK (organisation_id <> to_organisation_id)
);
CREATE UNIQUE INDEX uq_directory_delegation_open
    ON directory_delegation (organisation_id, to_organisation_id) WHERE ended_at IS NULL;

CREATE TABLE directory_link (
    id uuid CONSTRAINT pk_directory_link PRIMARY KEY,
    purpose text NOT NULL
        CONSTRAINT ck_directory_link_purpose CHECK (
            purpose IN ('claim', 'verify', 'access', 'editor')),
    organisation_id uuid NOT NULL
        CONSTRAINT fk_directory_link_organisation_id REFERENCES organisation,
    unit_id uuid CONSTRAINT fk_directory_link_unit_id REFERENCES unit,
    address text NOT NULL CONSTRAINT ck_directory_link_address CHECK (length(address) > 0),
    status text NOT NULL
        CONSTRAINT ck_directory_link_status CHECK (status IN ('actual', 'exercise', 'test')),
    token_hash bytea NOT NULL CONSTRAINT uq_directory_link_token_hash UNIQUE,
    days_left integer,
    sent_by text NOT NULL,
    created_at timestamptz NOT NULL,
    mailed_at timestamptz,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_by text,
    revoked_at timestamptz,
    bounced_at timestamptz,
    CONSTRAINT ck_directory_link_used CHECK ((used_at IS NULL) = (used_by IS NULL)),
    CONSTRAINT ck_directory_link_unit CHECK ((purpose = 'verify') = (unit_id IS NOT NULL))
);
CREATE INDEX ix_directory_link_organisation_id ON directory_link (organisation_id, created_at);
CREATE INDEX ix_directory_link_unit_id ON directory_link (unit_id, created_at);

CREATE TABLE contact_problem (
    id uuid CONSTRAINT pk_contact_problem PRIMARY KEY,
    contact_point_id uuid NOT NULL
        CONSTRAINT fk_contact_problem_contact_point_id REFERENCES contact_point,
    value text NOT NULL,
    kind text NOT NULL CONSTRAINT ck_contact_problem_kind CHECK (kind IN (
        'rang-out', 'wrong-team', 'unobtainable', 'mailbox-closed', 'other')),
    note text CONSTRAINT ck_contact_problem_note CHECK (length(note) <= 300),
    reported_by_id uuid NOT NULL,
    reported_by text NOT NULL,
    organisation_id uuid NOT NULL
        CONSTRAINT fk_contact_problem_organisation_id REFERENCES organisation,
    at timestamptz NOT NULL,
    answered_at timestamptz,
    answered_by text,
    answer text CONSTRAINT ck_contact_problem_answer CHECK (
        answer IN ('corrected', 'works', 'closed')),
    CONSTRAINT ck_contact_problem_answered CHECK (
        (answered_at IS NULL) = (answer IS NULL) AND (answered_at IS NULL) = (answered_by IS NULL))
);
CREATE UNIQUE INDEX uq_contact_problem_open
    ON contact_problem (contact_point_id, reported_by_id) WHERE answered_at IS NULL;

GRANT SELECT, INSERT ON unit_succession TO hub_app;
GRANT SELECT, INSERT, UPDATE ON unit_renaming TO hub_app;
GRANT SELECT ON directory_change, directory_position TO hub_app;
GRANT SELECT, INSERT, UPDATE ON directory_delegation, directory_link, contact_problem TO hub_app;
"""

# Every change of a row is put on record where it happens, whoever makes it: who, when and why come
# with the transaction (`hub.change`), and the version is stamped at the commit, under its one lock.
FUNCTIONS = """
CREATE FUNCTION record_directory_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    cause jsonb := nullif(current_setting('hub.change', true), '')::jsonb;
    after jsonb := to_jsonb(NEW);
    unit uuid;
BEGIN
    unit := CASE TG_TABLE_NAME WHEN 'unit' THEN NEW.id
        ELSE (after ->> 'unit_id')::uuid END;
    INSERT INTO directory_change (kind, object_id, unit_id, before, after, who_id, who, why, at)
    VALUES (TG_TABLE_NAME, NEW.id, unit,
        CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END, after,
        (cause ->> 'who_id')::uuid, coalesce(cause ->> 'who', 'Missing Children Hub'),
        coalesce(cause ->> 'why', 'loaded from the reference data'),
        coalesce((cause ->> 'at')::timestamptz, now()));
    RETURN NULL;
END
$$;

-- The version at which an organisation, unit or area last changed, its contacts, coverage, reports and
-- successors included: what a mirror pages by. Only ever called at the commit, under the one lock.
CREATE FUNCTION place_in_directory(of_kind text, id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO directory_position SELECT of_kind, id, version FROM directory_version
        WHERE id IS NOT NULL
    ON CONFLICT (kind, object_id) DO UPDATE SET version = excluded.version
$$;
REVOKE EXECUTE ON FUNCTION place_in_directory FROM PUBLIC;

CREATE FUNCTION stamp_directory_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE directory_version SET version = version + 1 WHERE xmin <> pg_current_xact_id()::xid;
    UPDATE directory_change SET version = (SELECT version FROM directory_version)
        WHERE id = NEW.id;
    IF NEW.kind IN ('organisation', 'area') THEN
        PERFORM place_in_directory(NEW.kind, NEW.object_id);
    ELSE
        PERFORM place_in_directory('unit', NEW.unit_id);
        PERFORM place_in_directory('unit', (NEW.before ->> 'unit_id')::uuid);
        PERFORM place_in_directory('area', (NEW.after ->> 'area_id')::uuid);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION place_directory_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE directory_version SET version = version + 1 WHERE xmin <> pg_current_xact_id()::xid;
    PERFORM place_in_directory('unit', CASE TG_TABLE_NAME
        WHEN 'contact_problem' THEN
            (SELECT unit_id FROM contact_point
             WHERE id = (to_jsonb(NEW) ->> 'contact_point_id')::uuid)
        ELSE (to_jsonb(NEW) ->> 'unit_id')::uuid END);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER directory_change_stamped AFTER INSERT ON directory_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stamp_directory_change();

-- No district, or sector of one, has two units of one kind at a time; and none that was covered
-- by a unit of a kind is left without, unless what is loaded says so (`hub.coverage_may_lapse`).
-- The version's row is taken first: of two that change at once, the later sees what the earlier did.
CREATE FUNCTION check_coverage() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kind_of text := (SELECT kind FROM unit WHERE id = NEW.unit_id);
    this coverage;
BEGIN
    PERFORM FROM directory_version FOR UPDATE;
    SELECT * INTO this FROM coverage WHERE id = NEW.id;
    IF EXISTS (
        SELECT 1 FROM coverage AS other JOIN unit ON unit.id = other.unit_id
        WHERE other.area_id = this.area_id AND other.id <> this.id AND unit.kind = kind_of
            AND daterange(other.valid_from, other.valid_to)
                && daterange(this.valid_from, this.valid_to)
            AND ((other.sectors IS NULL AND this.sectors IS NULL)
                OR other.sectors && this.sectors)
    ) THEN
        RAISE EXCEPTION 'a place would have two units'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_coverage_once';
    END IF;
    IF this.valid_to IS NOT NULL AND this.sectors IS NULL
        AND coalesce(current_setting('hub.coverage_may_lapse', true), '') <> 'on'
        AND NOT EXISTS (SELECT 1 FROM area
            WHERE area.id = this.area_id AND area.valid_to <= this.valid_to)
        AND NOT EXISTS (
            SELECT 1 FROM coverage AS other JOIN unit ON unit.id = other.unit_id
            WHERE other.area_id = this.area_id AND other.id <> this.id AND unit.kind = kind_of
                AND other.sectors IS NULL AND other.valid_from <= this.valid_to
                AND (other.valid_to IS NULL OR other.valid_to > this.valid_to))
    THEN
        RAISE EXCEPTION 'a place would be left without a unit'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_coverage_kept';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER coverage_once AFTER INSERT OR UPDATE ON coverage
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_coverage();
"""

RECORDED = ("organisation", "unit", "area", "coverage", "contact_point")
PLACED = ("organisation", "unit", "area")
WATCHED = ("unit_succession", "unit_renaming", "contact_problem")


def upgrade() -> None:
    """Make columns, tables and triggers; what is there already is recorded as loaded."""
    op.execute(COLUMNS)
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for table in RECORDED:
        unit = {"unit": "id", "coverage": "unit_id", "contact_point": "unit_id"}.get(table, "NULL")
        op.execute(f"""
            INSERT INTO directory_change
                (kind, object_id, unit_id, after, who, why, at, version)
            SELECT '{table}', id, {unit}, to_jsonb({table}), 'Missing Children Hub',
                'already on record', now(), (SELECT version FROM directory_version) FROM {table}
        """)
        op.execute(f"""
            CREATE TRIGGER directory_change_on_insert AFTER INSERT ON {table}
                FOR EACH ROW EXECUTE FUNCTION record_directory_change();
            CREATE TRIGGER directory_change_on_update AFTER UPDATE ON {table}
                FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
                EXECUTE FUNCTION record_directory_change();
        """)
    for table in PLACED:
        op.execute(f"""
            INSERT INTO directory_position
            SELECT '{table}', id, (SELECT version FROM directory_version) FROM {table}
        """)
    for table in WATCHED:
        op.execute(f"""
            CREATE CONSTRAINT TRIGGER directory_placed_on_change AFTER INSERT OR UPDATE ON {table}
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                EXECUTE FUNCTION place_directory_change()
        """)


def downgrade() -> None:
    """Drop them all; suggestions and part-district coverage, which did not exist, are dropped."""
    for table in RECORDED:
        op.execute(f"""
            DROP TRIGGER directory_change_on_insert ON {table};
            DROP TRIGGER directory_change_on_update ON {table};
        """)
    op.execute(f"""
        DROP TRIGGER coverage_once ON coverage;
        DROP FUNCTION check_coverage();
        DROP TABLE contact_problem, directory_link, directory_delegation, directory_change,
            directory_position, unit_renaming, unit_succession;
        DROP FUNCTION record_directory_change();
        DROP FUNCTION stamp_directory_change();
        DROP FUNCTION place_directory_change();
        DROP FUNCTION place_in_directory(text, uuid);
        UPDATE oauth_client SET scopes = CASE
            WHEN cardinality(array_remove(scopes, 'directory:write')) = 0
                THEN ARRAY['directory:read']
            ELSE array_remove(scopes, 'directory:write') END
            WHERE 'directory:write' = ANY(scopes);
        ALTER TABLE oauth_client
            DROP CONSTRAINT ck_oauth_client_scopes,
            ADD CONSTRAINT ck_oauth_client_scopes CHECK (
                scopes <@ ARRAY['directory:read', 'cases:read', 'cases:write']
                AND cardinality(scopes) > 0);
        DELETE FROM mailbox_verification USING contact_point
            WHERE contact_point.id = contact_point_id
            AND (verification = 'suggested' OR purpose = 'mash');
        DELETE FROM contact_point WHERE verification = 'suggested' OR purpose = 'mash';
        DELETE FROM coverage WHERE sectors IS NOT NULL;
        SET CONSTRAINTS ALL IMMEDIATE;  -- no table is altered with a deferred trigger waiting
        ALTER TABLE contact_point
            DROP CONSTRAINT ck_contact_point_closed,
            DROP CONSTRAINT ck_contact_point_purpose,
            ADD CONSTRAINT ck_contact_point_purpose CHECK (purpose IN ({PURPOSES})),
            DROP CONSTRAINT ck_contact_point_verification,
            ADD CONSTRAINT ck_contact_point_verification CHECK (
                verification IN ('unverified', 'verified')
                AND (verification = 'verified')
                    = (verified_at IS NOT NULL AND verified_by IS NOT NULL)),
            DROP suggested_by, DROP suggested_by_id, DROP bounced_at, DROP closed_at;
        ALTER TABLE coverage DROP CONSTRAINT ck_coverage_sectors, DROP sectors;
        CREATE UNIQUE INDEX uq_coverage_unit_id_area_id_open ON coverage (unit_id, area_id)
            WHERE valid_to IS NULL;
        ALTER TABLE unit DROP version, DROP former_names, DROP name_welsh;
        ALTER TABLE organisation DROP mail_domains, DROP former_names;
    """)
