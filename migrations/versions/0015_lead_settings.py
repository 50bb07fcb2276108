"""What an organisation asks of an acceptance of the lead, and the setting back of its clocks."""

from alembic import op

revision = "0015"
down_revision = "0014"

UPGRADE = """
CREATE TABLE lead_setting (
    organisation_id uuid CONSTRAINT pk_lead_setting PRIMARY KEY
        CONSTRAINT fk_lead_setting_organisation_id REFERENCES organisation,
    supervisor_authorises boolean NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON lead_setting TO hub_app;
GRANT DELETE ON clock_setting TO hub_app;

ALTER TABLE tenure ADD supervisor_name text;

-- Where an organisation asks for it, its unit takes the lead on offer only with a supervisor's name.
CREATE FUNCTION check_tenure_supervisor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.supervisor_name IS NULL AND NEW.basis IN ('accepted', 'agreed-plan')
        AND EXISTS (SELECT FROM unit u JOIN lead_setting s ON s.organisation_id = u.organisation_id
            WHERE u.id = NEW.unit_id AND s.supervisor_authorises)
    THEN
        RAISE EXCEPTION 'a supervisor authorises it' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ck_tenure_supervisor';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenure_supervisor BEFORE INSERT ON tenure
    FOR EACH ROW EXECUTE FUNCTION check_tenure_supervisor();
"""

DOWNGRADE = """
DROP TRIGGER tenure_supervisor ON tenure;
DROP FUNCTION check_tenure_supervisor;
ALTER TABLE tenure DROP supervisor_name;
REVOKE DELETE ON clock_setting FROM hub_app;
DROP TABLE lead_setting;
"""


def upgrade() -> None:
    """Make the table, the column and the rule."""
    op.execute(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
