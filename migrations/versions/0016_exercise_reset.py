"""Exercises that were reset: their cases are out of sight for the application, and stay on record."""

from alembic import op

revision = "0016"
down_revision = "0015"

ENDS = "'located', 'joined', 'recorded-in-error'"

UPGRADE = f"""
CREATE TABLE exercise_reset (
    id uuid CONSTRAINT pk_exercise_reset PRIMARY KEY,
    organisation_id uuid NOT NULL CONSTRAINT fk_exercise_reset_organisation_id REFERENCES organisation,
    at timestamptz NOT NULL,
    by_name text NOT NULL,
    CONSTRAINT ck_exercise_reset_by_name CHECK (length(by_name) > 0)
);
CREATE INDEX ix_exercise_reset_organisation_id ON exercise_reset (organisation_id);

CREATE TABLE exercise_reset_case (
    case_id uuid CONSTRAINT pk_exercise_reset_case PRIMARY KEY
        CONSTRAINT fk_exercise_reset_case_case_id REFERENCES cases,
    reset_id uuid NOT NULL CONSTRAINT fk_exercise_reset_case_reset_id REFERENCES exercise_reset,
    reference text NOT NULL CONSTRAINT uq_exercise_reset_case_reference UNIQUE
);
CREATE INDEX ix_exercise_reset_case_reset_id ON exercise_reset_case (reset_id);
GRANT SELECT, INSERT ON exercise_reset, exercise_reset_case TO hub_app;

ALTER TABLE cases
    ADD reset_at timestamptz,
    ADD CONSTRAINT ck_cases_reset CHECK (reset_at IS NULL OR status = 'exercise');

ALTER TABLE episode DROP CONSTRAINT ck_episode_end, ADD CONSTRAINT ck_episode_end CHECK (
    (ended_at IS NULL) = (end_reason IS NULL)
    AND end_reason IN ({ENDS}, 'reset')
    AND (ended_at IS NULL OR ended_at >= opened_at));

-- A case is reset by its being on record in a reset, and in no other way.
CREATE FUNCTION reset_case() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE cases SET reset_at = (SELECT at FROM exercise_reset WHERE id = NEW.reset_id)
    WHERE id = NEW.case_id AND reference = NEW.reference;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such case' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ck_exercise_reset_case';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER exercise_reset_case_is_reset AFTER INSERT ON exercise_reset_case
    FOR EACH ROW EXECUTE FUNCTION reset_case();

-- No query of the application finds a case that was reset, and nothing is said in it any more.
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY cases_not_reset ON cases TO hub_app USING (reset_at IS NULL);
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
CREATE POLICY message_read ON message FOR SELECT TO hub_app USING (true);
CREATE POLICY message_of_case ON message FOR INSERT TO hub_app
    WITH CHECK (EXISTS (SELECT FROM cases c WHERE c.id = case_id));
ALTER VIEW match_side SET (security_invoker = true);
ALTER VIEW match_told SET (security_invoker = true);
"""

DOWNGRADE = f"""
ALTER VIEW match_told RESET (security_invoker);
ALTER VIEW match_side RESET (security_invoker);
DROP POLICY message_of_case ON message;
DROP POLICY message_read ON message;
ALTER TABLE message DISABLE ROW LEVEL SECURITY;
DROP POLICY cases_not_reset ON cases;
ALTER TABLE cases DISABLE ROW LEVEL SECURITY;
DROP TABLE exercise_reset_case, exercise_reset;
DROP FUNCTION reset_case;
ALTER TABLE cases DROP reset_at;
ALTER TABLE episode DISABLE TRIGGER USER;
UPDATE episode SET end_reason = 'recorded-in-error' WHERE end_reason = 'reset';
ALTER TABLE episode ENABLE TRIGGER USER;
ALTER TABLE episode DROP CONSTRAINT ck_episode_end, ADD CONSTRAINT ck_episode_end CHECK (
    (ended_at IS NULL) = (end_reason IS NULL)
    AND end_reason IN ({ENDS})
    AND (ended_at IS NULL OR ended_at >= opened_at));
"""


def upgrade() -> None:
    """Make the tables, the column and what hides a case."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them; what was reset shows again, its episodes ended as recorded in error."""
    op.execute(DOWNGRADE)
