"""A guest link: mailed to a verified mailbox, opened by a code, used once (DOMAIN.md 3, 4.5)."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.db import Database
from hub.errors import HubError
from hub.identity import people
from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.jobs.model import OutboxJob
from hub.jobs.outbox import Job
from hub.post.catcher import Catcher
from hub.records import audit
from hub.records.keys import Keys
from hub.records.model import AuditRecord
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import guest_links, guest_mail, guest_secrets, guests, sending
from messaging.contracts import Command
from messaging.guest_model import GuestLink
from messaging.guest_secrets import Guest
from messaging.guests import Opened, WrongCode
from messaging.model import Case, InformationRequest, LeadRequest, Message, Tenure
from seed import cast, demo

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.exercise(NOW)
GUEST = Guest("Joan Tremayne", "4471", "Inspector")
TEAM = "devon-and-cornwall"


class Offer:
    """An offer of the lead to Devon and Cornwall, which is not on the hub."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database, self.keys, self.vault = database, keys, Vault(keys)
        with database.unit_of_work() as session:
            self.officer = demo.actor_of(session, cast.MET_OFFICER)
            opened = sending.open_case(session, self.officer, self.vault, report(), NOW)
            self.reference = opened.case_reference
            sent = self.send(session, self.officer, OFFER)
            self.message_id = sent.message_id
            request = session.scalars(
                select(LeadRequest).where(LeadRequest.message_id == sent.message_id)
            ).one()
            self.unit_id: UUID = request.to_unit_id

    def send(self, session: Session, actor: Actor, words: dict[str, Any]) -> sending.Sent:
        return sending.send(
            session, actor, self.vault, self.reference, Command.model_validate(words), NOW
        )

    def link(self) -> tuple[str, str]:
        """Issue a link and return its token and its code."""
        with self.database.unit_of_work() as session:
            made = guest_links.issue(
                session, self.officer, self.keys, self.message_id, self.unit_id, NOW
            )
        return guest_secrets.token(self.keys, made.id), made.code

    def give(self, token: str, code: str, now: datetime = NOW) -> Opened | WrongCode:
        with self.database.unit_of_work() as session:
            return guests.give_code(session, self.keys, token, code, GUEST, now)

    def answer(self, token: str, pass_: str, words: dict[str, Any]) -> None:
        with self.database.unit_of_work() as session:
            opened = guests.return_with_pass(session, self.keys, token, pass_, NOW)
            guests.consume(session, token, NOW)
            self.send(session, opened.actor, {**words, "in_reply_to": opened.message_id})

    def leads(self) -> list[tuple[UUID, str]]:
        with self.database.unit_of_work() as session:
            case_id = session.scalars(select(Case.id).where(Case.reference == self.reference)).one()
            rows = session.execute(
                select(Tenure.unit_id, Tenure.officer_name)
                .join(Message, Message.id == Tenure.message_id)
                .where(Message.case_id == case_id)
                .order_by(Tenure.number)
            )
            return [(row.unit_id, row.officer_name) for row in rows]


def report() -> Command:
    return Command.model_validate(
        {
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
    )


OFFER = {
    "type": "lead-transfer-request",
    "to": [TEAM],
    "priority": "urgent",
    "callback_telephone": "020 7946 0101",
    "body": {"rationale": "majority-of-enquiries", "circumstances": "Seen in Plymouth"},
}
ACCEPT = {"type": "lead-transfer-accept", "body": {"named_officer": GUEST.name}}
DECLINE = {"type": "lead-transfer-decline", "body": {"reason": "wrong-area"}}


@pytest.fixture
def offer(database: Database, keys: Keys) -> Offer:
    return Offer(database, keys)


def test_an_answer_by_link_moves_the_lead_to_the_named_guest(offer: Offer) -> None:
    token, code = offer.link()
    opened = offer.give(token, f"{code[:3]} {code[3:]}")
    assert isinstance(opened, Opened)
    assert [officer for _, officer in offer.leads()] == [offer.officer.name]
    offer.answer(token, opened.pass_, ACCEPT)
    assert offer.leads()[-1] == (offer.unit_id, GUEST.name)


def test_a_link_is_used_once(offer: Offer) -> None:
    token, code = offer.link()
    opened = offer.give(token, code)
    assert isinstance(opened, Opened)
    offer.answer(token, opened.pass_, DECLINE)
    with pytest.raises(HubError) as refused:
        offer.answer(token, opened.pass_, ACCEPT)
    assert (refused.value.code, refused.value.extra["state"]) == ("link-over", "used")
    assert len(offer.leads()) == 1


def test_looking_at_the_page_changes_nothing(offer: Offer) -> None:
    token, _ = offer.link()
    with offer.database.unit_of_work() as session:
        before = session.scalar(select(func.count()).select_from(AuditRecord))
        card = guests.card(session, token, NOW)
        assert (card.reference, card.state) == (offer.reference, "open")
        assert session.scalar(select(func.count()).select_from(AuditRecord)) == before
        assert not session.dirty
        assert not session.new


def test_the_fifth_wrong_code_revokes_the_link(offer: Offer) -> None:
    token, code = offer.link()
    wrong = "000000" if code != "000000" else "111111"
    assert [offer.give(token, wrong) for _ in range(5)] == [WrongCode(n) for n in (4, 3, 2, 1, 0)]
    with pytest.raises(HubError) as refused:
        offer.give(token, code)
    assert refused.value.extra["state"] == "revoked"


def test_wrong_codes_at_once_are_all_counted(offer: Offer) -> None:
    token, code = offer.link()
    wrong = "000000" if code != "000000" else "111111"
    left: list[int] = []

    def tries() -> None:
        try:
            given = offer.give(token, wrong)
        except HubError:
            return
        assert isinstance(given, WrongCode)
        left.append(given.left)

    threads = [threading.Thread(target=tries) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(left) == [0, 1, 2, 3, 4]


def test_sixteen_answers_at_once_have_one_effect(offer: Offer) -> None:
    token, code = offer.link()
    opened = offer.give(token, code)
    assert isinstance(opened, Opened)
    outcomes: list[str] = []
    start = threading.Barrier(16)

    def answers(words: dict[str, Any]) -> None:
        start.wait()
        try:
            offer.answer(token, opened.pass_, words)
        except HubError as error:
            outcomes.append(error.code)
        else:
            outcomes.append("done")

    threads = [
        threading.Thread(target=answers, args=(ACCEPT if n % 2 else DECLINE,)) for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", *["link-over"] * 15]


def test_a_link_ends_after_a_day(offer: Offer) -> None:
    token, code = offer.link()
    assert isinstance(offer.give(token, code, NOW + timedelta(hours=23, minutes=59)), Opened)
    with pytest.raises(HubError) as refused:
        offer.give(token, code, NOW + timedelta(hours=24))
    assert refused.value.extra["state"] == "expired"


def test_a_link_ends_with_its_message(offer: Offer) -> None:
    token, code = offer.link()
    with offer.database.unit_of_work() as session:
        offer.send(
            session,
            offer.officer,
            {"type": "lead-transfer-withdraw", "body": {"reason": "Found nearer"}},
        )
    with pytest.raises(HubError) as refused:
        offer.give(token, code)
    assert refused.value.extra["state"] == "answered"


def test_a_fresh_link_ends_the_one_before(offer: Offer) -> None:
    first, first_code = offer.link()
    second, second_code = offer.link()
    with pytest.raises(HubError) as refused:
        offer.give(first, first_code)
    assert refused.value.extra["state"] == "revoked"
    assert isinstance(offer.give(second, second_code), Opened)


def test_a_link_ends_when_the_unit_comes_to_the_hub(offer: Offer) -> None:
    token, code = offer.link()
    with offer.database.unit_of_work() as session:
        people.add_person_with_membership(
            session,
            audit.SYSTEM,
            email="new@devon.example.org",
            name="New Officer",
            organisation="devon-and-cornwall",
            unit=None,
            role="officer",
            status="exercise",
            password="a password of some length",
            now=NOW,
        )
    with pytest.raises(HubError) as refused:
        offer.give(token, code)
    assert refused.value.extra["state"] == "on-hub"
    with pytest.raises(HubError) as refused:
        offer.link()
    assert refused.value.code == "unit-on-hub"


def test_only_the_senders_unit_may_send_a_link(offer: Offer) -> None:
    with offer.database.unit_of_work() as session:
        stranger = demo.actor_of(session, cast.ESSEX_OFFICER)
        with pytest.raises(HubError) as refused:
            guest_links.issue(session, stranger, offer.keys, offer.message_id, offer.unit_id, NOW)
    assert refused.value.status == 404


def test_no_link_goes_to_a_mailbox_that_nobody_rang_about(offer: Offer, owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("TRUNCATE mailbox_verification")
    with pytest.raises(HubError) as refused:
        offer.link()
    assert refused.value.code == "no-verified-mailbox"


def test_name_and_collar_number_are_asked_for_and_no_try_is_counted(offer: Offer) -> None:
    token, code = offer.link()
    for guest, pointer in ((Guest("", "4471"), "/name"), (Guest("Joan", " "), "/collar_number")):
        with offer.database.unit_of_work() as session, pytest.raises(HubError) as refused:
            guests.give_code(session, offer.keys, token, code, guest, NOW)
        assert refused.value.fields[0].pointer == pointer
    with offer.database.unit_of_work() as session:
        assert session.scalars(select(GuestLink.attempts)).one() == 0


def test_the_mail_carries_a_reference_and_a_link_alone(
    offer: Offer, settings: Settings, tmp_path: Path
) -> None:
    token, code = offer.link()
    with offer.database.unit_of_work() as session:
        job = session.scalars(select(OutboxJob).where(OutboxJob.kind == guest_links.MAIL_JOB)).one()
        link = session.get_one(GuestLink, job.subject_id)
        case = session.scalars(select(Case).where(Case.reference == offer.reference)).one()
        held = Job(job.id, job.kind, job.subject_id, 1, job.created_at)
        mail = guest_mail.letter(settings, offer.keys, link, case, held)
        again = guest_mail.letter(settings, offer.keys, link, case, held)
        assert mail == again
        assert mail.to == "missing@devon-cornwall.example.org"
        assert mail.subject.startswith("EXERCISE " + offer.reference)
        assert f"/answer/{token}" in mail.text
        assert code not in mail.text
        assert "Testchild" not in mail.text + mail.subject
        assert bytes(link.token_hash) != token.encode()


def test_the_worker_mails_a_link_once_and_not_when_it_has_ended(
    offer: Offer, settings: Settings, tmp_path: Path
) -> None:
    first, _ = offer.link()
    offer.link()
    with offer.database.unit_of_work() as session:
        jobs = session.scalars(
            select(OutboxJob.id)
            .where(OutboxJob.kind == guest_links.MAIL_JOB)
            .order_by(OutboxJob.id)
        ).all()
    with Catcher(tmp_path / "mail") as catcher:
        mailing = settings.model_copy(update={"smtp_url": catcher.url})
        for job_id in (*jobs, *jobs):
            outbox.drive(offer.database, job_id, NOW, mailing)
        mails = [file.read_text() for file in catcher.folder.glob("*.eml")]
    assert len(jobs) == 2
    assert len(mails) == 1
    assert first not in mails[0]


def test_an_enquiry_is_answered_by_the_link_of_the_unit_that_it_is_of(offer: Offer) -> None:
    with offer.database.unit_of_work() as session:
        asked = offer.send(session, offer.officer, ENQUIRY)
        (unit_id,) = [unit for unit, reach in asked.reach.items() if reach == "not-on-hub"]
        offer.message_id = asked.message_id
        assert unit_id == offer.unit_id
    token, code = offer.link()
    opened = offer.give(token, code)
    assert isinstance(opened, Opened)
    with offer.database.unit_of_work() as session:
        live = guest_links.issued(
            session, offer.officer, offer.keys, offer.message_id, offer.unit_id, NOW
        )
        others = guest_links.issued(
            session, offer.officer, offer.keys, offer.message_id, UUID(int=0), NOW
        )
    assert ([one.code for one in live], others) == ([code], [])
    before = offer.leads()
    offer.answer(token, opened.pass_, {"type": "information-response",
                                       "body": {"outcome": "none-held"}})  # fmt: skip
    with pytest.raises(HubError, match="link-over"):
        offer.give(token, code)
    with offer.database.unit_of_work() as session:
        assert session.scalars(select(InformationRequest.state)).all() == ["none-held"]
    assert offer.leads() == before


ENQUIRY = {
    "type": "information-request",
    "to": [TEAM],
    "purpose": "EXERCISE",
    "body": {"questions": "EXERCISE question", "immediate_action": True},
}
