"""Two cases of one child: blind keys, matches, and how one case goes on as the other."""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
CREATE TABLE child_key (
    case_id uuid NOT NULL CONSTRAINT fk_child_key_case_id REFERENCES cases,
    message_id uuid NOT NULL CONSTRAINT fk_child_key_message_id REFERENCES message,
    kind text NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT pk_child_key PRIMARY KEY (key, case_id, message_id),
    CONSTRAINT ck_child_key_kind CHECK (
        kind IN ('birth', 'person', 'identifier', 'own-reference')),
    CONSTRAINT ck_child_key_key CHECK (length(key) = 32)
);
CREATE INDEX ix_child_key_case_id ON child_key (case_id);
CREATE INDEX ix_child_key_message_id ON child_key (message_id);

ALTER TABLE cases
    ADD joined_into_id uuid,
    ADD CONSTRAINT fk_cases_joined_into_id_status
        FOREIGN KEY (joined_into_id, status) REFERENCES cases (id, status),
    ADD CONSTRAINT ck_cases_joined CHECK (
        joined_into_id IS NULL OR (closed_at IS NOT NULL AND joined_into_id <> id));
CREATE INDEX ix_cases_joined_into_id ON cases (joined_into_id) WHERE joined_into_id IS NOT NULL;

ALTER TABLE episode
    ADD joined_into_id uuid CONSTRAINT fk_episode_joined_into_id REFERENCES episode,
    ADD CONSTRAINT ck_episode_joined CHECK (
        joined_into_id IS NULL
        OR (end_reason IS NOT DISTINCT FROM 'joined' AND joined_into_id <> id));

CREATE TABLE match (
    id uuid CONSTRAINT pk_match PRIMARY KEY,
    one_case_id uuid NOT NULL,
    other_case_id uuid NOT NULL,
    status text NOT NULL,
    one_message_id uuid NOT NULL CONSTRAINT fk_match_one_message_id REFERENCES message,
    other_message_id uuid NOT NULL CONSTRAINT fk_match_other_message_id REFERENCES message,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by_message_id uuid CONSTRAINT fk_match_closed_by_message_id REFERENCES message,
    CONSTRAINT fk_match_one_case_id_status
        FOREIGN KEY (one_case_id, status) REFERENCES cases (id, status),
    CONSTRAINT fk_match_other_case_id_status
        FOREIGN KEY (other_case_id, status) REFERENCES cases (id, status),
    CONSTRAINT uq_match_one_case_id_other_case_id UNIQUE (one_case_id, other_case_id),
    CONSTRAINT ck_match_order CHECK (one_case_id < other_case_id),
    CONSTRAINT ck_match_state CHECK (state IN ('open', 'joined', 'not-same', 'moved')),
    CONSTRAINT ck_match_closed CHECK ((state = 'open') = (closed_at IS NULL)
        AND (closed_at IS NULL) = (closed_by_message_id IS NULL))
);
CREATE INDEX ix_match_one_case_id_open ON match (one_case_id) WHERE state = 'open';
CREATE INDEX ix_match_other_case_id_open ON match (other_case_id) WHERE state = 'open';

CREATE TABLE match_denial (
    match_id uuid NOT NULL CONSTRAINT fk_match_denial_match_id REFERENCES match,
    case_id uuid NOT NULL CONSTRAINT fk_match_denial_case_id REFERENCES cases,
    message_id uuid NOT NULL CONSTRAINT fk_match_denial_message_id REFERENCES message,
    at timestamptz NOT NULL,
    CONSTRAINT pk_match_denial PRIMARY KEY (match_id, case_id)
);

ALTER TABLE lead_request
    ADD match_id uuid CONSTRAINT fk_lead_request_match_id REFERENCES match,
    ADD lead_after text,
    ADD CONSTRAINT ck_lead_request_match CHECK (
        (kind = 'join-episodes') = (match_id IS NOT NULL)
        AND (match_id IS NULL) = (lead_after IS NULL)),
    ADD CONSTRAINT ck_lead_request_lead_after CHECK (lead_after IN ('theirs', 'ours'));
ALTER TABLE direction
    ADD match_id uuid CONSTRAINT fk_direction_match_id REFERENCES match;

-- Each open match from both its sides: whom either may ring at the other, and who has denied it.
-- That is who leads there, the police that a report waits for, the home unit, who led last, the opener.
CREATE VIEW match_side AS
SELECT s.*, o.reference AS other_reference,
    CASE WHEN l.ended_at IS NULL THEN l.unit_id END AS other_lead_id,
    coalesce(CASE WHEN l.ended_at IS NULL THEN l.unit_id END,
        (SELECT r.addressed_unit_id FROM report r WHERE r.case_id = o.id
            AND r.state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted')),
        o.home_unit_id, l.unit_id, o.opener_unit_id) AS ring_id,
    EXISTS (SELECT FROM match_denial d WHERE d.match_id = s.match_id AND d.case_id = s.case_id)
        AS denied_here,
    EXISTS (SELECT FROM match_denial d WHERE d.match_id = s.match_id AND d.case_id = s.other_id)
        AS denied_there
FROM (
    SELECT id AS match_id, opened_at, one_case_id AS case_id, other_case_id AS other_id,
        one_message_id AS message_id FROM match WHERE state = 'open'
    UNION ALL
    SELECT id, opened_at, other_case_id, one_case_id, other_message_id
    FROM match WHERE state = 'open'
) s
JOIN cases c ON c.id = s.case_id AND c.closed_at IS NULL
JOIN cases o ON o.id = s.other_id AND o.closed_at IS NULL
LEFT JOIN LATERAL (SELECT t.unit_id, e.ended_at FROM episode e
    JOIN tenure t ON t.episode_id = e.id
    WHERE e.case_id = o.id ORDER BY e.number DESC, t.number DESC LIMIT 1) l ON true;

-- The units of a case that are told: who leads or led last, the police that a report waits for, the
-- home unit.
CREATE VIEW match_told AS
SELECT s.match_id, s.case_id, l.unit_id FROM match_side s
JOIN LATERAL (SELECT t.unit_id FROM episode e JOIN tenure t ON t.episode_id = e.id
    WHERE e.case_id = s.case_id ORDER BY e.number DESC, t.number DESC LIMIT 1) l ON true
UNION
SELECT s.match_id, s.case_id, r.addressed_unit_id FROM match_side s
JOIN report r ON r.case_id = s.case_id
    AND r.state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted')
UNION
SELECT s.match_id, s.case_id, c.home_unit_id FROM match_side s
JOIN cases c ON c.id = s.case_id AND c.home_unit_id IS NOT NULL;

GRANT SELECT ON match_side, match_told TO hub_app;
GRANT SELECT, INSERT, DELETE ON child_key TO hub_app;
GRANT SELECT, INSERT, UPDATE ON match TO hub_app;
GRANT SELECT, INSERT ON match_denial TO hub_app;
"""

RULES = """
-- Rule 10: a match is closed once, and as another child's only by the word of both sides.
CREATE FUNCTION guard_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open'
        OR (NEW.one_case_id, NEW.other_case_id, NEW.status, NEW.opened_at)
            IS DISTINCT FROM (OLD.one_case_id, OLD.other_case_id, OLD.status, OLD.opened_at) THEN
        RAISE EXCEPTION 'a match is closed once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_match_once';
    END IF;
    IF NEW.state = 'not-same' AND (SELECT count(*) FROM match_denial d
            WHERE d.match_id = NEW.id AND d.case_id IN (NEW.one_case_id, NEW.other_case_id)) < 2 THEN
        RAISE EXCEPTION 'one side alone leaves it contested'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_match_both_sides';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER match_once BEFORE UPDATE ON match FOR EACH ROW EXECUTE FUNCTION guard_match();

-- An alias never reopens, and is an alias of one case for good; what it joined may be one later.
CREATE FUNCTION guard_alias() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.joined_into_id IS NOT NULL AND (
            NEW.joined_into_id IS DISTINCT FROM OLD.joined_into_id OR NEW.closed_at IS NULL) THEN
        RAISE EXCEPTION 'an alias never reopens'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_alias';
    END IF;
    IF OLD.joined_into_id IS NULL AND NEW.joined_into_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM cases c WHERE c.id = NEW.joined_into_id AND c.joined_into_id IS NULL) THEN
        RAISE EXCEPTION 'a case joins one that goes on'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_alias';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_alias BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION guard_alias();

-- A joined episode names the one that goes on: open then, and of the case that its own has joined.
CREATE FUNCTION check_joined() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.end_reason = 'joined' AND NOT EXISTS (
            SELECT FROM episode s JOIN cases c ON c.id = NEW.case_id
            WHERE s.id = NEW.joined_into_id AND s.case_id = c.joined_into_id
                AND s.opened_at <= NEW.ended_at
                AND (s.ended_at IS NULL OR s.ended_at >= NEW.ended_at)) THEN
        RAISE EXCEPTION 'a joined episode names the one that goes on'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_episode_goes_on';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER episode_goes_on AFTER UPDATE ON episode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_joined();

-- Erasing a case, which destroys its key, removes what it was found by, wherever that was carried.
CREATE FUNCTION forget_child() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM child_key k WHERE k.case_id = NEW.subject_id OR EXISTS (
        SELECT FROM message m WHERE m.id = k.message_id AND m.case_id = NEW.subject_id);
    RETURN NULL;
END $$;
CREATE TRIGGER data_key_forgets AFTER UPDATE OF destroyed_at ON data_key
    FOR EACH ROW WHEN (NEW.destroyed_at IS NOT NULL) EXECUTE FUNCTION forget_child();
"""

DOWNGRADE = """
DROP VIEW match_told, match_side;
DROP TRIGGER episode_goes_on ON episode;
DROP TRIGGER cases_alias ON cases;
DROP TRIGGER data_key_forgets ON data_key;
ALTER TABLE direction DROP match_id;
ALTER TABLE lead_request DROP match_id, DROP lead_after;
DROP TABLE match_denial, match, child_key;
DROP FUNCTION guard_match, guard_alias, check_joined, forget_child;
ALTER TABLE episode DROP joined_into_id;
ALTER TABLE cases DROP joined_into_id;
"""


def upgrade() -> None:
    """Make tables, columns and rules."""
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them; a case that was joined stays closed."""
    op.execute(DOWNGRADE)
