"""A signed reply moves nothing until another supervisor of the sender's unit authorises it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.model import AuditRecord
from hub.records.vault import Vault
from messaging import lead_settings, open_questions, sending, signed_replies
from messaging.contracts import Command
from messaging.encrypted_files import CHUNK_BYTES
from messaging.guest_model import SignedReply, SignedReplyChunk
from messaging.model import InformationRequest, LeadRequest, Tenure
from messaging.signed_replies import Upload
from seed import cast, demo

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.exercise(NOW)
PAPER = b"%PDF-1.7\n" + b"signed by an officer\n" * 30_000 + b"%%EOF\n"
SIGNER = {
    "officer_name": "Joan Tremayne",
    "officer_rank": "Inspector",
    "officer_collar_number": "4471",
}
REPORT = {
    "type": "missing-episode-report",
    "status": "exercise",
    "body": {
        "child": {"given_name": "Testchild", "age": 14},
        "last_seen_at": NOW.isoformat(),
        "last_seen_place": "A bus stop",
        "risk": "medium",
        "why": "Reasons",
        "callback_telephone": "020 7946 0101",
    },
}
OFFER = {
    "type": "lead-transfer-request",
    "to": ["devon-and-cornwall"],
    "callback_telephone": "020 7946 0101",
    "body": {"rationale": "majority-of-enquiries", "circumstances": "Seen in Plymouth"},
}


class Paper:
    """A lead offered to Devon and Cornwall, and the officers who handle its answer on paper."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database, self.vault = database, Vault(keys)
        with database.unit_of_work() as session:
            self.officer = demo.actor_of(session, cast.MET_OFFICER)
            self.inspector = demo.actor_of(session, cast.MET_INSPECTOR)
            self.stranger = demo.actor_of(session, cast.KENT_INSPECTOR)
            self.reference = sending.open_case(
                session, self.officer, self.vault, Command.model_validate(REPORT), NOW
            ).case_reference
        self.message_id = self.send(OFFER)

    def send(self, words: dict[str, object]) -> UUID:
        with self.database.unit_of_work() as session:
            return sending.send(
                session,
                self.officer,
                self.vault,
                self.reference,
                Command.model_validate(words),
                NOW,
            ).message_id

    def unit(self) -> UUID:
        with self.database.unit_of_work() as session:
            return session.scalars(
                select(LeadRequest.to_unit_id).where(LeadRequest.message_id == self.message_id)
            ).one()

    def attach(
        self,
        actor: Actor | None = None,
        content: bytes = PAPER,
        **fields: str,
    ) -> UUID:
        answer = "decline" if "code" in fields or "explanation" in fields else "accept"
        with self.database.unit_of_work() as session:
            return signed_replies.attach(
                session,
                actor or self.officer,
                self.vault,
                Upload(
                    self.message_id,
                    self.unit(),
                    "decline" if answer == "decline" else "accept",
                    {**SIGNER, **fields},
                    BytesIO(content),
                ),
                NOW,
            )

    def decide(self, actor: Actor, reply_id: UUID, authorise: bool = True) -> None:
        with self.database.unit_of_work() as session:
            signed_replies.decide(
                session, actor, self.vault, reply_id, authorise=authorise, now=NOW
            )

    def lead(self) -> tuple[UUID, str]:
        with self.database.unit_of_work() as session:
            row = session.execute(
                select(Tenure.unit_id, Tenure.officer_name)
                .where(Tenure.until.is_(None))
                .order_by(Tenure.since.desc(), Tenure.id.desc())
                .limit(1)
            ).one()
            return row.unit_id, row.officer_name


@pytest.fixture
def paper(database: Database, keys: Keys) -> Paper:
    return Paper(database, keys)


def test_the_lead_moves_when_another_supervisor_authorises(paper: Paper) -> None:
    reply_id = paper.attach()
    assert paper.lead()[0] != paper.unit()
    paper.decide(paper.inspector, reply_id)
    assert paper.lead() == (paper.unit(), "Joan Tremayne")


def test_a_refused_paper_moves_nothing(paper: Paper) -> None:
    paper.decide(paper.inspector, paper.attach(), authorise=False)
    assert paper.lead()[0] != paper.unit()
    assert paper.attach()


def test_a_decline_on_paper_moves_nothing_and_ends_the_request(paper: Paper) -> None:
    paper.decide(paper.inspector, paper.attach(code="wrong-area"))
    assert paper.lead()[0] != paper.unit()
    with pytest.raises(HubError) as refused:
        paper.attach()
    assert refused.value.code == "nothing-to-answer"


def test_a_decline_on_paper_needs_its_code(paper: Paper) -> None:
    with pytest.raises(HubError) as refused:
        paper.attach(explanation="We do not want it")
    assert refused.value.fields[0].pointer == "/code"


def test_an_acceptance_on_paper_names_the_supervisor_where_one_is_asked_for(
    paper: Paper, someone: Callable[..., Actor]
) -> None:
    with paper.database.unit_of_work() as session:
        lead_settings.decide(
            session, someone("devon-and-cornwall", "administrator"), paper.vault, {},
            supervisor_authorises=True, national=False, why="EXERCISE", now=NOW,
        )  # fmt: skip
    with pytest.raises(HubError) as refused:
        paper.attach()
    assert (refused.value.code, refused.value.fields[0].pointer) == (
        "supervisor-needed", "/supervisor",
    )  # fmt: skip
    reply_id = paper.attach(supervisor="Superintendent EXERCISE")
    paper.decide(paper.inspector, reply_id)
    assert paper.lead()[0] == paper.unit()
    with paper.database.unit_of_work() as session:
        named = session.scalars(select(Tenure.supervisor_name).where(Tenure.basis == "accepted"))
        assert "Superintendent EXERCISE" in named.all()


def test_nobody_authorises_what_they_attached(paper: Paper) -> None:
    reply_id = paper.attach(paper.inspector)
    with pytest.raises(HubError) as refused:
        paper.decide(paper.inspector, reply_id)
    assert refused.value.code == "own-upload"
    other = replace(paper.inspector, id=uuid4(), name="Another inspector")
    paper.decide(other, reply_id)
    assert paper.lead()[0] == paper.unit()


def test_only_a_supervisor_of_the_senders_unit_authorises(paper: Paper) -> None:
    reply_id = paper.attach()
    with pytest.raises(HubError) as refused:
        paper.decide(replace(paper.officer, id=uuid4()), reply_id)
    assert refused.value.status == 403
    with pytest.raises(HubError) as refused:
        paper.decide(paper.stranger, reply_id)
    assert refused.value.status == 404


def test_a_paper_that_comes_too_late_is_told_so(paper: Paper) -> None:
    reply_id = paper.attach()
    paper.send({"type": "lead-transfer-withdraw", "body": {"reason": "Found nearer"}})
    with pytest.raises(HubError) as refused:
        paper.decide(paper.inspector, reply_id)
    assert refused.value.status == 409
    assert paper.lead()[0] != paper.unit()


def test_two_supervisors_at_once_decide_once(paper: Paper) -> None:
    reply_id = paper.attach()
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def decides(number: int) -> None:
        start.wait()
        try:
            paper.decide(replace(paper.inspector, id=uuid4()), reply_id, authorise=number % 2 == 0)
        except HubError as error:
            outcomes.append(error.code)
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=decides, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [*["already-decided"] * 7, "done"]


def test_the_file_is_encrypted_in_pieces_and_every_download_is_on_record(paper: Paper) -> None:
    reply_id = paper.attach()
    with paper.database.unit_of_work() as session:
        pieces = session.scalars(select(SignedReplyChunk)).all()
        assert len(pieces) == -(-len(PAPER) // CHUNK_BYTES)
        assert all(b"signed by" not in bytes(piece.ciphertext) for piece in pieces)
        assert b"Tremayne" not in bytes(session.scalars(select(SignedReply.fields)).one())
        _, content = signed_replies.file(session, paper.inspector, paper.vault, reply_id, NOW)
        assert content == PAPER
        looked = select(func.count()).where(
            AuditRecord.object_id == reply_id, AuditRecord.action == "consultation"
        )
        assert session.scalar(looked) == 1
        with pytest.raises(HubError) as refused:
            signed_replies.file(session, paper.stranger, paper.vault, reply_id, NOW)
    assert refused.value.status == 404


def test_what_the_paper_says_is_read_on_record_and_by_the_senders_unit_alone(paper: Paper) -> None:
    reply_id = paper.attach()
    with paper.database.unit_of_work() as session:
        card = signed_replies.read(session, paper.officer, paper.vault, reply_id, NOW)
        assert card.fields["officer_name"] == "Joan Tremayne"
        looked = select(func.count()).where(
            AuditRecord.object_id == reply_id, AuditRecord.action == "consultation"
        )
        assert session.scalar(looked) == 1


def test_a_sign_in_for_actual_cases_finds_no_paper_of_an_exercise(paper: Paper) -> None:
    reply_id = paper.attach()
    actual = replace(paper.inspector, id=uuid4(), status="actual")
    with paper.database.unit_of_work() as session:
        for look in (
            lambda: signed_replies.read(session, actual, paper.vault, reply_id, NOW),
            lambda: signed_replies.file(session, actual, paper.vault, reply_id, NOW),
            lambda: open_questions.asked(session, actual, paper.reference, 2),
        ):
            with pytest.raises(HubError) as refused:
                look()
            assert refused.value.status == 404
    for act in (lambda: paper.decide(actual, reply_id), lambda: paper.attach(actual)):
        with pytest.raises(HubError) as refused:
            act()
        assert refused.value.status == 404


def test_a_second_paper_waits_for_the_first(paper: Paper) -> None:
    paper.attach()
    with pytest.raises(HubError) as refused:
        paper.attach()
    assert refused.value.code == "reply-waiting"


def test_a_program_is_not_a_paper(paper: Paper) -> None:
    with pytest.raises(HubError) as refused:
        paper.attach(content=b"MZ a program")
    assert refused.value.code == "file-type"


@pytest.mark.parametrize(
    ("explanation", "way", "outcome"),
    [("Not seen here", "accept", "provided"), ("Not ours to say", "decline", "refused")],
)
def test_an_enquiry_is_answered_on_paper(
    paper: Paper, explanation: str, way: Literal["accept", "decline"], outcome: str
) -> None:
    unit = paper.unit()
    paper.message_id = paper.send(
        {"type": "information-request", "to": ["devon-and-cornwall"],
         "purpose": "EXERCISE", "body": {"questions": "EXERCISE"}}
    )  # fmt: skip

    def attach(words: dict[str, str]) -> UUID:
        upload = Upload(paper.message_id, unit, way, {**SIGNER, **words}, BytesIO(PAPER))
        with paper.database.unit_of_work() as session:
            return signed_replies.attach(session, paper.officer, paper.vault, upload, NOW)

    with pytest.raises(HubError) as caught:
        attach({})
    assert caught.value.fields[0].pointer == "/explanation"
    reply_id = attach({"explanation": explanation})
    paper.decide(paper.inspector, reply_id)
    with paper.database.unit_of_work() as session:
        asked = session.scalars(select(InformationRequest)).one()
        assert (asked.state, asked.answered_by_name) == (outcome, "Joan Tremayne")
        card = signed_replies.read(session, paper.officer, paper.vault, reply_id, NOW)
    assert (card.answer, card.way) == ("information-response", way)
