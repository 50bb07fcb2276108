"""Organisations in time: a parent, a version, days of former names; what was planned, withdrawn."""

from alembic import op

revision = "0008"
down_revision = "0007"

UPGRADE = """
ALTER TABLE organisation
    ADD parent_id uuid CONSTRAINT fk_organisation_parent_id REFERENCES organisation,
    ADD former_until jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT ck_organisation_former_until CHECK (jsonb_typeof(former_until) = 'object'),
    ADD version integer NOT NULL DEFAULT 1
        CONSTRAINT ck_organisation_version CHECK (version > 0),
    ADD CONSTRAINT ck_organisation_parent CHECK (parent_id <> id);
CREATE INDEX ix_organisation_parent_id ON organisation (parent_id);

-- No organisation is above itself. The version's row is taken first, as for coverage: of two that
-- change at once, the later sees what the earlier did.
CREATE FUNCTION check_organisation_parent() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM directory_version FOR UPDATE;
    IF EXISTS (
        WITH RECURSIVE up(id) AS (
            SELECT parent_id FROM organisation WHERE id = NEW.id
            UNION
            SELECT parent_id FROM organisation JOIN up USING (id)
        )
        SELECT 1 FROM up WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'an organisation would be above itself'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_organisation_parent_above';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER organisation_parent AFTER INSERT OR UPDATE OF parent_id ON organisation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
    EXECUTE FUNCTION check_organisation_parent();

-- No unit, and no district, is an organisation's beyond the days on which there is one, unless what
-- is loaded says so (`hub.coverage_may_lapse`). Asked when the organisation's or a unit's days change.
CREATE FUNCTION check_organisation_days() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    this organisation;
BEGIN
    IF coalesce(current_setting('hub.coverage_may_lapse', true), '') = 'on' THEN
        RETURN NULL;
    END IF;
    PERFORM FROM directory_version FOR UPDATE;
    SELECT * INTO this FROM organisation WHERE id = CASE TG_TABLE_NAME
        WHEN 'unit' THEN (to_jsonb(NEW) ->> 'organisation_id')::uuid ELSE NEW.id END;
    IF EXISTS (
        SELECT 1 FROM unit WHERE organisation_id = this.id AND valid_to IS DISTINCT FROM valid_from
            AND (valid_from < this.valid_from
                OR coalesce(valid_to, 'infinity') > coalesce(this.valid_to, 'infinity'))
    ) THEN
        RAISE EXCEPTION 'an organisation would have units and be no more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_organisation_units';
    END IF;
    IF TG_TABLE_NAME = 'organisation' AND EXISTS (
        SELECT 1 FROM area WHERE this.id IN (force_id, csa_id)
            AND valid_to IS DISTINCT FROM valid_from
            AND (valid_from < this.valid_from
                OR coalesce(valid_to, 'infinity') > coalesce(this.valid_to, 'infinity'))
    ) THEN
        RAISE EXCEPTION 'an organisation would have districts and be no more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_organisation_districts';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER organisation_days AFTER UPDATE OF valid_from, valid_to ON organisation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.valid_from <> NEW.valid_from OR OLD.valid_to IS DISTINCT FROM NEW.valid_to)
    EXECUTE FUNCTION check_organisation_days();
CREATE CONSTRAINT TRIGGER organisation_days_of_new_unit AFTER INSERT ON unit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_organisation_days();
-- A mail domain is one organisation's: asked when a list of domains changes.
CREATE FUNCTION check_mail_domains() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM directory_version FOR UPDATE;
    IF EXISTS (
        SELECT 1 FROM organisation AS this JOIN organisation AS other
            ON other.mail_domains && this.mail_domains AND other.id <> this.id
        WHERE this.id = NEW.id AND (other.valid_to IS NULL OR other.valid_to > (now() AT TIME ZONE 'Europe/London')::date)
    ) THEN
        RAISE EXCEPTION 'a mail domain would be of two organisations'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_organisation_mail_domains';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER organisation_mail_domains AFTER UPDATE OF mail_domains ON organisation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.mail_domains <> NEW.mail_domains) EXECUTE FUNCTION check_mail_domains();
CREATE CONSTRAINT TRIGGER organisation_days_of_unit AFTER UPDATE OF valid_from, valid_to ON unit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.valid_from <> NEW.valid_from OR OLD.valid_to IS DISTINCT FROM NEW.valid_to)
    EXECUTE FUNCTION check_organisation_days();

-- What was to be from a later day on, and was withdrawn before that day, stays on record.
ALTER TABLE unit_succession ADD withdrawn_at timestamptz;
ALTER TABLE unit_renaming
    ADD withdrawn_at timestamptz,
    ADD CONSTRAINT ck_unit_renaming_withdrawn CHECK (withdrawn_at IS NULL OR applied_at IS NULL);
DROP INDEX uq_unit_renaming_unit_id_open;
CREATE UNIQUE INDEX uq_unit_renaming_unit_id_open ON unit_renaming (unit_id)
    WHERE applied_at IS NULL AND withdrawn_at IS NULL;
GRANT UPDATE (withdrawn_at) ON unit_succession TO hub_app;
"""

# Coverage that never was, since its first day is its last, leaves no place uncovered, unless
# another ended for it on that day.
ENDS = """(this.valid_to > this.valid_from OR this.valid_to IS NOT NULL AND EXISTS (
        SELECT 1 FROM coverage AS before JOIN unit ON unit.id = before.unit_id
        WHERE before.area_id = this.area_id AND before.id <> this.id AND unit.kind = kind_of
            AND before.sectors IS NULL AND before.valid_to = this.valid_from
            AND before.valid_from < before.valid_to))"""
COVERAGE = """
CREATE OR REPLACE FUNCTION check_coverage() RETURNS trigger
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
    IF {ends} AND this.sectors IS NULL
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
"""

DOWNGRADE = """
DELETE FROM unit_renaming WHERE withdrawn_at IS NOT NULL;
DELETE FROM unit_succession WHERE withdrawn_at IS NOT NULL;
SET CONSTRAINTS ALL IMMEDIATE;
DROP INDEX uq_unit_renaming_unit_id_open;
CREATE UNIQUE INDEX uq_unit_renaming_unit_id_open ON unit_renaming (unit_id)
    WHERE applied_at IS NULL;
ALTER TABLE unit_renaming DROP CONSTRAINT ck_unit_renaming_withdrawn, DROP withdrawn_at;
ALTER TABLE unit_succession DROP withdrawn_at;
REVOKE UPDATE ON unit_succession FROM hub_app;
DROP TRIGGER organisation_days_of_unit ON unit;
DROP TRIGGER organisation_mail_domains ON organisation;
DROP FUNCTION check_mail_domains();
DROP TRIGGER organisation_days_of_new_unit ON unit;
DROP TRIGGER organisation_days ON organisation;
DROP TRIGGER organisation_parent ON organisation;
DROP FUNCTION check_organisation_days();
DROP FUNCTION check_organisation_parent();
ALTER TABLE organisation DROP version, DROP former_until, DROP parent_id;
"""


def upgrade() -> None:
    """Add the columns, and the triggers that hold what may be said in them."""
    op.execute(UPGRADE)
    op.execute(COVERAGE.replace("{ends}", ENDS))


def downgrade() -> None:
    """Drop them; former names stay, without their days, and what was withdrawn goes."""
    op.execute(COVERAGE.replace("{ends}", "this.valid_to IS NOT NULL"))
    op.execute(DOWNGRADE)
