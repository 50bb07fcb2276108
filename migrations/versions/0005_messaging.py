"""Cases, episodes and their lead; messages in parts; receipts, clocks, drafts, guests' answers.

The rules of DOMAIN.md 4 that a database can hold, it holds here: constraints and triggers carry
names that become domain errors.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE cases (
    id uuid CONSTRAINT pk_cases PRIMARY KEY,
    reference text NOT NULL CONSTRAINT uq_cases_reference UNIQUE,
    status text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    opener_unit_id uuid NOT NULL CONSTRAINT fk_cases_opener_unit_id REFERENCES unit,
    home_unit_id uuid CONSTRAINT fk_cases_home_unit_id REFERENCES unit,
    last_message_no integer NOT NULL DEFAULT 0,
    last_at timestamptz NOT NULL,
    CONSTRAINT ck_cases_status CHECK (status IN ('actual', 'exercise', 'test')),
    CONSTRAINT ck_cases_dates CHECK (closed_at IS NULL OR closed_at >= opened_at),
    CONSTRAINT uq_cases_id_status UNIQUE (id, status)
);

CREATE TABLE message (
    id uuid CONSTRAINT pk_message PRIMARY KEY,
    case_id uuid NOT NULL,
    number integer NOT NULL,
    type text NOT NULL,
    schema_version text NOT NULL,
    status text NOT NULL,
    classification text NOT NULL,
    priority text NOT NULL,
    request_no integer,
    sent_at timestamptz NOT NULL,
    reply_due_at timestamptz,
    in_reply_to uuid,
    sender_organisation_id uuid CONSTRAINT fk_message_sender_organisation_id REFERENCES organisation,
    sender_unit_id uuid NOT NULL CONSTRAINT fk_message_sender_unit_id REFERENCES unit,
    sender_kind text NOT NULL,
    sender_id uuid,
    sender_name text NOT NULL,
    sender_rank text,
    sender_collar text,
    audience text NOT NULL,
    CONSTRAINT uq_message_case_id_number UNIQUE (case_id, number),
    CONSTRAINT uq_message_id_case_id UNIQUE (id, case_id),
    CONSTRAINT fk_message_case_id_status FOREIGN KEY (case_id, status) REFERENCES cases (id, status),
    CONSTRAINT fk_message_in_reply_to FOREIGN KEY (in_reply_to, case_id) REFERENCES message (id, case_id),
    CONSTRAINT ck_message_number CHECK (number > 0),
    CONSTRAINT ck_message_priority CHECK (priority IN ('urgent', 'routine')),
    CONSTRAINT ck_message_request_no CHECK (request_no BETWEEN 1 AND 3),
    CONSTRAINT ck_message_classification CHECK (classification IN ('OFFICIAL', 'OFFICIAL-SENSITIVE')),
    CONSTRAINT ck_message_audience CHECK (audience IN ('police', 'statutory', 'all-parties', 'units')),
    CONSTRAINT ck_message_sender_kind CHECK (sender_kind IN ('person', 'client', 'guest', 'system'))
);

CREATE TABLE message_part (
    message_id uuid NOT NULL CONSTRAINT fk_message_part_message_id REFERENCES message,
    audience text NOT NULL,
    ciphertext bytea NOT NULL,
    CONSTRAINT pk_message_part PRIMARY KEY (message_id, audience),
    CONSTRAINT ck_message_part_audience CHECK (audience IN ('police', 'statutory', 'all-parties', 'units'))
);

CREATE TABLE party (
    case_id uuid NOT NULL CONSTRAINT fk_party_case_id REFERENCES cases,
    unit_id uuid NOT NULL CONSTRAINT fk_party_unit_id REFERENCES unit,
    part text NOT NULL,
    sees text NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT pk_party PRIMARY KEY (case_id, unit_id),
    CONSTRAINT ck_party_part CHECK (part IN (
        'police', 'reporter', 'responsible-authority', 'host-authority', 'health', 'other')),
    CONSTRAINT ck_party_sees CHECK (sees IN ('full', 'limited'))
);
CREATE INDEX ix_party_unit_id ON party (unit_id);

CREATE TABLE episode (
    id uuid CONSTRAINT pk_episode PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_episode_case_id REFERENCES cases,
    number integer NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by_message_id uuid NOT NULL,
    recording_unit_id uuid NOT NULL CONSTRAINT fk_episode_recording_unit_id REFERENCES unit,
    risk text NOT NULL,
    ended_at timestamptz,
    end_reason text,
    ended_by_message_id uuid CONSTRAINT fk_episode_ended_by_message_id REFERENCES message,
    CONSTRAINT fk_episode_opened_by_message_id
        FOREIGN KEY (opened_by_message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT uq_episode_case_id_number UNIQUE (case_id, number),
    CONSTRAINT ck_episode_risk CHECK (risk IN ('high', 'medium', 'low', 'no-apparent-risk')),
    CONSTRAINT ck_episode_end CHECK (
        (ended_at IS NULL) = (end_reason IS NULL)
        AND end_reason IN ('located', 'joined', 'recorded-in-error')
        AND (ended_at IS NULL OR ended_at >= opened_at))
);
CREATE UNIQUE INDEX uq_episode_case_id_open ON episode (case_id) WHERE ended_at IS NULL;

CREATE TABLE lead_request (
    id uuid CONSTRAINT pk_lead_request PRIMARY KEY,
    episode_id uuid NOT NULL CONSTRAINT fk_lead_request_episode_id REFERENCES episode,
    message_id uuid NOT NULL CONSTRAINT uq_lead_request_message_id UNIQUE
        CONSTRAINT fk_lead_request_message_id REFERENCES message,
    kind text NOT NULL,
    from_unit_id uuid NOT NULL CONSTRAINT fk_lead_request_from_unit_id REFERENCES unit,
    to_unit_id uuid NOT NULL CONSTRAINT fk_lead_request_to_unit_id REFERENCES unit,
    priority text NOT NULL,
    state text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    answered_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_lead_request_answer_message_id REFERENCES message,
    answered_by_unit_id uuid CONSTRAINT fk_lead_request_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT ck_lead_request_kind CHECK (kind IN ('transfer-lead', 'join-episodes')),
    CONSTRAINT ck_lead_request_priority CHECK (priority IN ('urgent', 'routine')),
    CONSTRAINT ck_lead_request_state CHECK (
        state IN ('open', 'accepted', 'declined', 'withdrawn', 'directed', 'overtaken')),
    CONSTRAINT ck_lead_request_answer CHECK (
        (state = 'open') = (answered_at IS NULL)
        AND (state NOT IN ('accepted', 'declined', 'withdrawn') OR answer_message_id IS NOT NULL)),
    CONSTRAINT ck_lead_request_other_unit CHECK (from_unit_id <> to_unit_id)
);
CREATE UNIQUE INDEX uq_lead_request_episode_id_open ON lead_request (episode_id) WHERE state = 'open';

CREATE TABLE tenure (
    id uuid CONSTRAINT pk_tenure PRIMARY KEY,
    episode_id uuid NOT NULL CONSTRAINT fk_tenure_episode_id REFERENCES episode,
    number integer NOT NULL,
    unit_id uuid NOT NULL CONSTRAINT fk_tenure_unit_id REFERENCES unit,
    officer_name text NOT NULL,
    officer_rank text,
    officer_collar text,
    on_duty_until timestamptz,
    since timestamptz NOT NULL,
    until timestamptz,
    basis text NOT NULL,
    message_id uuid NOT NULL CONSTRAINT fk_tenure_message_id REFERENCES message,
    CONSTRAINT uq_tenure_episode_id_number UNIQUE (episode_id, number),
    CONSTRAINT ck_tenure_officer CHECK (length(officer_name) BETWEEN 1 AND 200),
    CONSTRAINT ck_tenure_basis CHECK (
        basis IN ('recorded', 'accepted', 'agreed-plan', 'direction', 'superseded')),
    CONSTRAINT ck_tenure_dates CHECK (until IS NULL OR until >= since)
);
CREATE UNIQUE INDEX uq_tenure_episode_id_open ON tenure (episode_id) WHERE until IS NULL;

CREATE TABLE report (
    id uuid CONSTRAINT pk_report PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_report_case_id REFERENCES cases,
    message_id uuid NOT NULL CONSTRAINT uq_report_message_id UNIQUE
        CONSTRAINT fk_report_message_id REFERENCES message,
    reporter_unit_id uuid NOT NULL CONSTRAINT fk_report_reporter_unit_id REFERENCES unit,
    addressed_unit_id uuid NOT NULL CONSTRAINT fk_report_addressed_unit_id REFERENCES unit,
    state text NOT NULL,
    state_since timestamptz NOT NULL,
    episode_id uuid CONSTRAINT fk_report_episode_id REFERENCES episode,
    CONSTRAINT ck_report_state CHECK (state IN (
        'awaiting-police', 'recorded', 'recorded-by-telephone', 'not-accepted',
        'returned-before-recorded')),
    CONSTRAINT ck_report_recorded CHECK ((state = 'recorded') = (episode_id IS NOT NULL))
);
CREATE UNIQUE INDEX uq_report_case_id_unsettled ON report (case_id)
    WHERE state IN ('awaiting-police', 'recorded-by-telephone', 'not-accepted');

CREATE TABLE located_claim (
    id uuid CONSTRAINT pk_located_claim PRIMARY KEY,
    episode_id uuid NOT NULL CONSTRAINT fk_located_claim_episode_id REFERENCES episode,
    message_id uuid NOT NULL CONSTRAINT uq_located_claim_message_id UNIQUE
        CONSTRAINT fk_located_claim_message_id REFERENCES message,
    by_unit_id uuid NOT NULL CONSTRAINT fk_located_claim_by_unit_id REFERENCES unit,
    state text NOT NULL DEFAULT 'open',
    answered_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_located_claim_answer_message_id REFERENCES message,
    answered_by_unit_id uuid CONSTRAINT fk_located_claim_answered_by_unit_id REFERENCES unit,
    answered_by_name text,
    CONSTRAINT ck_located_claim_state CHECK (state IN ('open', 'confirmed', 'refused', 'overtaken')),
    CONSTRAINT ck_located_claim_answer CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE INDEX ix_located_claim_episode_id ON located_claim (episode_id);

CREATE TABLE recipient (
    message_id uuid NOT NULL CONSTRAINT fk_recipient_message_id REFERENCES message,
    unit_id uuid NOT NULL CONSTRAINT fk_recipient_unit_id REFERENCES unit,
    case_id uuid NOT NULL CONSTRAINT fk_recipient_case_id REFERENCES cases,
    reach text NOT NULL,
    CONSTRAINT pk_recipient PRIMARY KEY (message_id, unit_id),
    CONSTRAINT fk_recipient_message_id_case_id
        FOREIGN KEY (message_id, case_id) REFERENCES message (id, case_id),
    CONSTRAINT ck_recipient_reach CHECK (reach IN ('staffed', 'connected', 'not-on-hub'))
);
CREATE INDEX ix_recipient_unit_id_message_id ON recipient (unit_id, message_id);
CREATE INDEX ix_recipient_case_id ON recipient (case_id);

CREATE TABLE receipt (
    message_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    who_kind text NOT NULL,
    who_id uuid,
    who_name text NOT NULL,
    CONSTRAINT pk_receipt PRIMARY KEY (message_id, unit_id, kind),
    CONSTRAINT fk_receipt_message_id_unit_id
        FOREIGN KEY (message_id, unit_id) REFERENCES recipient (message_id, unit_id),
    CONSTRAINT ck_receipt_kind CHECK (
        kind IN ('delivered', 'told-by-telephone', 'opened', 'acknowledged', 'answered')),
    CONSTRAINT ck_receipt_opened_by_name CHECK (
        kind IN ('delivered', 'told-by-telephone') OR length(who_name) > 0)
);

CREATE TABLE clock (
    id uuid CONSTRAINT pk_clock PRIMARY KEY,
    case_id uuid NOT NULL CONSTRAINT fk_clock_case_id REFERENCES cases,
    kind text NOT NULL,
    message_id uuid NOT NULL CONSTRAINT fk_clock_message_id REFERENCES message,
    owed_by_unit_id uuid NOT NULL CONSTRAINT fk_clock_owed_by_unit_id REFERENCES unit,
    started_at timestamptz,
    due_at timestamptz,
    met_at timestamptz,
    missed_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT ck_clock_kind CHECK (kind IN (
        'report-outcome', 'lead-urgent', 'lead-routine', 'located-answer',
        'opened-urgent', 'opened-request', 'opened', 'review-high', 'review-medium', 'review-low',
        'ukmpu')),
    CONSTRAINT ck_clock_started CHECK ((started_at IS NULL) = (due_at IS NULL)),
    CONSTRAINT ck_clock_dates CHECK (due_at >= started_at),
    CONSTRAINT uq_clock_message_id_kind_owed_by UNIQUE (message_id, kind, owed_by_unit_id)
);
CREATE INDEX ix_clock_case_id ON clock (case_id);
CREATE INDEX ix_clock_running ON clock (due_at)
    WHERE met_at IS NULL AND ended_at IS NULL AND missed_at IS NULL;

CREATE TABLE clock_setting (
    kind text NOT NULL,
    organisation_id uuid CONSTRAINT fk_clock_setting_organisation_id REFERENCES organisation,
    minutes integer NOT NULL,
    CONSTRAINT uq_clock_setting_kind_organisation_id UNIQUE NULLS NOT DISTINCT (kind, organisation_id),
    CONSTRAINT ck_clock_setting_minutes CHECK (minutes BETWEEN 1 AND 100000)
);

CREATE TABLE draft (
    id uuid CONSTRAINT pk_draft PRIMARY KEY,
    person_id uuid NOT NULL CONSTRAINT fk_draft_person_id REFERENCES person,
    case_id uuid CONSTRAINT fk_draft_case_id REFERENCES cases,
    type text NOT NULL,
    ciphertext bytea NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX ix_draft_person_id ON draft (person_id);

CREATE TABLE guest_link (
    id uuid CONSTRAINT pk_guest_link PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT uq_guest_link_token_hash UNIQUE,
    code_hash bytea NOT NULL,
    message_id uuid NOT NULL CONSTRAINT fk_guest_link_message_id REFERENCES message,
    unit_id uuid NOT NULL CONSTRAINT fk_guest_link_unit_id REFERENCES unit,
    contact_point_id uuid NOT NULL CONSTRAINT fk_guest_link_contact_point_id REFERENCES contact_point,
    mailbox text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz,
    issued_by uuid,
    CONSTRAINT ck_guest_link_life CHECK (expires_at <= created_at + interval '24 hours'),
    CONSTRAINT ck_guest_link_attempts CHECK (attempts BETWEEN 0 AND 5)
);
CREATE INDEX ix_guest_link_message_id ON guest_link (message_id);

CREATE TABLE signed_reply (
    id uuid CONSTRAINT pk_signed_reply PRIMARY KEY,
    message_id uuid NOT NULL CONSTRAINT fk_signed_reply_message_id REFERENCES message,
    unit_id uuid NOT NULL CONSTRAINT fk_signed_reply_unit_id REFERENCES unit,
    answer text NOT NULL,
    fields bytea NOT NULL,
    file_name text NOT NULL,
    file_type text NOT NULL,
    file_size integer NOT NULL,
    uploaded_by uuid NOT NULL,
    uploaded_by_name text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    decided_by uuid,
    decided_by_name text,
    decided_at timestamptz,
    answer_message_id uuid CONSTRAINT fk_signed_reply_answer_message_id REFERENCES message,
    CONSTRAINT ck_signed_reply_answer CHECK (answer IN ('accept', 'decline')),
    CONSTRAINT ck_signed_reply_state CHECK (state IN ('pending', 'authorised', 'refused')),
    CONSTRAINT ck_signed_reply_another CHECK (decided_by <> uploaded_by),
    CONSTRAINT ck_signed_reply_decided CHECK ((state = 'pending') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX uq_signed_reply_message_id_unit_id_pending ON signed_reply (message_id, unit_id)
    WHERE state = 'pending';

CREATE TABLE signed_reply_chunk (
    signed_reply_id uuid NOT NULL CONSTRAINT fk_signed_reply_chunk_signed_reply_id REFERENCES signed_reply,
    number integer NOT NULL,
    ciphertext bytea NOT NULL,
    CONSTRAINT pk_signed_reply_chunk PRIMARY KEY (signed_reply_id, number)
);

GRANT SELECT, INSERT, UPDATE ON cases, episode, lead_request, tenure, report, located_claim, clock,
    guest_link, signed_reply TO hub_app;
GRANT SELECT, INSERT ON message, message_part, party, recipient, receipt, signed_reply_chunk TO hub_app;
GRANT UPDATE (part, sees) ON party TO hub_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON draft TO hub_app;
GRANT SELECT, INSERT, UPDATE ON clock_setting TO hub_app;
"""

RULES = """
-- Rule 1: an open episode has exactly one lead, at every moment since it was opened.
CREATE FUNCTION check_one_lead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_episode uuid;
    e episode;
    open_tenures integer;
    gaps integer;
    last_until timestamptz;
BEGIN
    IF TG_TABLE_NAME = 'episode' THEN of_episode := NEW.id; ELSE of_episode := NEW.episode_id; END IF;
    SELECT * INTO e FROM episode WHERE id = of_episode;
    SELECT count(*) FILTER (WHERE t.until IS NULL),
        count(*) FILTER (WHERE t.since IS DISTINCT FROM t.expected),
        max(t.until)
    INTO open_tenures, gaps, last_until
    FROM (SELECT since, until,
              coalesce(lag(until) OVER (ORDER BY number), e.opened_at) AS expected
          FROM tenure WHERE episode_id = of_episode) t;
    IF open_tenures <> (CASE WHEN e.ended_at IS NULL THEN 1 ELSE 0 END) OR gaps > 0
        OR (e.ended_at IS NOT NULL AND last_until IS DISTINCT FROM e.ended_at) THEN
        RAISE EXCEPTION 'an open episode has exactly one lead, at every moment'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_episode_one_lead';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER episode_one_lead AFTER INSERT OR UPDATE ON episode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_one_lead();
CREATE CONSTRAINT TRIGGER tenure_one_lead AFTER INSERT OR UPDATE ON tenure
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_one_lead();

-- Rule 1a: the lead begins with the recording unit, and moves to whoever accepted.
CREATE FUNCTION check_tenure_basis() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.number = 1) <> (NEW.basis = 'recorded')
        OR (NEW.basis = 'recorded' AND NOT EXISTS (
            SELECT FROM episode e WHERE e.id = NEW.episode_id
                AND e.recording_unit_id = NEW.unit_id AND e.opened_by_message_id = NEW.message_id))
        OR (NEW.basis = 'accepted' AND NOT EXISTS (
            SELECT FROM lead_request r WHERE r.episode_id = NEW.episode_id AND r.state = 'accepted'
                AND r.to_unit_id = NEW.unit_id AND r.answer_message_id = NEW.message_id)) THEN
        RAISE EXCEPTION 'a lead is recorded, or accepted by the unit that it was offered to'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tenure_has_basis';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tenure_has_basis AFTER INSERT ON tenure
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_tenure_basis();

CREATE FUNCTION guard_tenure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.until IS NOT NULL OR (NEW.episode_id, NEW.number, NEW.unit_id, NEW.since, NEW.basis, NEW.message_id)
        IS DISTINCT FROM (OLD.episode_id, OLD.number, OLD.unit_id, OLD.since, OLD.basis, OLD.message_id) THEN
        RAISE EXCEPTION 'who led when is history'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_tenure_history';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenure_history BEFORE UPDATE ON tenure FOR EACH ROW EXECUTE FUNCTION guard_tenure();

-- Rule 3: of any number of answers exactly one takes effect.
CREATE FUNCTION guard_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'it was answered'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_answered_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lead_request_answered_once BEFORE UPDATE ON lead_request
    FOR EACH ROW EXECUTE FUNCTION guard_answered();
CREATE TRIGGER located_claim_answered_once BEFORE UPDATE ON located_claim
    FOR EACH ROW EXECUTE FUNCTION guard_answered();

-- An ended episode stays ended, with its requests and claims answered.
CREATE FUNCTION guard_episode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR (NEW.case_id, NEW.number, NEW.opened_at, NEW.recording_unit_id)
        IS DISTINCT FROM (OLD.case_id, OLD.number, OLD.opened_at, OLD.recording_unit_id) THEN
        RAISE EXCEPTION 'an ended episode is history'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_episode_history';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER episode_history BEFORE UPDATE ON episode FOR EACH ROW EXECUTE FUNCTION guard_episode();

CREATE FUNCTION check_nothing_left_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_episode uuid;
BEGIN
    IF TG_TABLE_NAME = 'episode' THEN of_episode := NEW.id; ELSE of_episode := NEW.episode_id; END IF;
    IF EXISTS (SELECT FROM episode e WHERE e.id = of_episode AND e.ended_at IS NOT NULL AND (
            EXISTS (SELECT FROM lead_request r WHERE r.episode_id = e.id AND r.state = 'open')
            OR EXISTS (SELECT FROM located_claim c WHERE c.episode_id = e.id AND c.state = 'open'))) THEN
        RAISE EXCEPTION 'an ended episode has nothing open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_episode_nothing_open';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER episode_nothing_open AFTER UPDATE ON episode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_nothing_left_open();
CREATE CONSTRAINT TRIGGER lead_request_of_open_episode AFTER INSERT ON lead_request
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_nothing_left_open();
CREATE CONSTRAINT TRIGGER located_claim_of_open_episode AFTER INSERT ON located_claim
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_nothing_left_open();

-- A closed case has no open episode, and its status is for life (rule 14).
CREATE FUNCTION check_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_case uuid;
BEGIN
    IF TG_TABLE_NAME = 'cases' THEN of_case := NEW.id; ELSE of_case := NEW.case_id; END IF;
    IF EXISTS (SELECT FROM cases c JOIN episode e ON e.case_id = c.id
            WHERE c.id = of_case AND c.closed_at IS NOT NULL AND e.ended_at IS NULL) THEN
        RAISE EXCEPTION 'a closed case has no open episode'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_closed';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cases_closed AFTER UPDATE OF closed_at ON cases
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_closed();
CREATE CONSTRAINT TRIGGER episode_of_open_case AFTER INSERT ON episode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_closed();

CREATE FUNCTION guard_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.reference, NEW.status, NEW.opened_at, NEW.opener_unit_id)
        IS DISTINCT FROM (OLD.reference, OLD.status, OLD.opened_at, OLD.opener_unit_id)
        OR NEW.last_message_no < OLD.last_message_no THEN
        RAISE EXCEPTION 'a case keeps its status for life'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_cases_for_life';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_for_life BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION guard_case();

-- Rule 2: how a practitioner's report may go on.
CREATE FUNCTION guard_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
            ('awaiting-police', 'awaiting-police'), ('awaiting-police', 'recorded'),
            ('awaiting-police', 'recorded-by-telephone'), ('awaiting-police', 'not-accepted'),
            ('awaiting-police', 'returned-before-recorded'),
            ('recorded-by-telephone', 'recorded'), ('recorded-by-telephone', 'not-accepted'),
            ('recorded-by-telephone', 'returned-before-recorded'),
            ('not-accepted', 'recorded'), ('not-accepted', 'awaiting-police'),
            ('not-accepted', 'recorded-by-telephone'), ('not-accepted', 'not-accepted'),
            ('not-accepted', 'returned-before-recorded'))
        OR NEW.reporter_unit_id <> OLD.reporter_unit_id OR NEW.message_id <> OLD.message_id THEN
        RAISE EXCEPTION 'a report does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_report_way';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER report_way BEFORE UPDATE ON report FOR EACH ROW EXECUTE FUNCTION guard_report();

-- Rule 7: messages are immutable, for whoever asks.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'messages and receipts are immutable'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_message_immutable';
END $$;
CREATE TRIGGER message_immutable BEFORE UPDATE OR DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER message_part_immutable BEFORE UPDATE OR DELETE ON message_part
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_immutable BEFORE UPDATE OR DELETE ON receipt
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Rule 5: nothing is delivered to a unit that is not on the hub when it is sent to.
CREATE FUNCTION check_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'delivered' AND EXISTS (
            SELECT FROM recipient r JOIN message m ON m.id = r.message_id
            WHERE r.message_id = NEW.message_id AND r.unit_id = NEW.unit_id
                AND r.reach = 'not-on-hub' AND NEW.at = m.sent_at) THEN
        RAISE EXCEPTION 'nothing is delivered to a unit that is not on the hub'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_receipt_not_on_hub';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER receipt_not_on_hub AFTER INSERT ON receipt
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_delivery();
"""

DOWNGRADE = """
DROP TABLE signed_reply_chunk, signed_reply, guest_link, draft, clock_setting, clock, receipt,
    recipient, located_claim, report, tenure, lead_request, episode, party, message_part, message, cases;
DROP FUNCTION check_one_lead, check_tenure_basis, guard_tenure, guard_answered, guard_episode,
    check_nothing_left_open, check_closed, guard_case, guard_report, refuse_change, check_delivery;
"""


def upgrade() -> None:
    """Make tables and rules."""
    op.execute(TABLES)
    op.execute(RULES)


def downgrade() -> None:
    """Drop them."""
    op.execute(DOWNGRADE)
