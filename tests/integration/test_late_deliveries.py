"""A unit that comes onto the hub finds what waited for it, and its clocks start (DOMAIN.md 3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from hub.clock import utcnow
from hub.db import Database
from hub.identity import clients
from hub.identity.actor import Actor
from hub.records import audit
from hub.records.vault import Vault
from messaging import receipts, sending
from messaging.contracts import Command
from messaging.guest_model import GuestLink
from messaging.model import Clock, Receipt

MET, KENT, DEVON = "metropolitan/central-north", "kent/east", "devon-and-cornwall"
REPORT = {
    "child": {"given_name": "EXERCISE child", "age": 14},
    "last_seen_at": "2026-11-24T01:00:00Z",
    "last_seen_place": "EXERCISE Road",
    "risk": "medium",
    "why": "EXERCISE",
    "callback_telephone": "020 7946 0001",
}

SIX_HUNDRED_MORE = text("""
WITH more AS (
    INSERT INTO message (id, case_id, number, type, schema_version, status, classification,
        priority, sent_at, sender_organisation_id, sender_unit_id, sender_kind, sender_id,
        sender_name, audience)
    SELECT lpad(to_hex(n), 32, '0')::uuid, case_id, number + n, type, schema_version, status, classification,
        priority, sent_at, sender_organisation_id, sender_unit_id, sender_kind, sender_id,
        sender_name, audience
    FROM message, generate_series(1, 600) n WHERE id = :id
    RETURNING id, case_id
)
INSERT INTO recipient (message_id, unit_id, case_id, reach)
SELECT more.id, r.unit_id, more.case_id, r.reach FROM more, recipient r WHERE r.message_id = :id
""")
"""The same message to the same unit, six hundred times more, before any other in order."""


class Hub:
    """The Met, which leads a case and offers it to units that nobody staffs yet."""

    def __init__(self, database: Database, vault: Vault, someone: Callable[..., Actor]) -> None:
        self.database, self.vault = database, vault
        self.someone = someone
        self.met = someone(MET)
        self.now = utcnow()

    def open(self, actor: Actor | None = None, status: str = "exercise") -> str:
        actor = actor or self.met
        command = Command(type="missing-episode-report", body=REPORT, status=status)  # type: ignore[arg-type]
        with self.database.unit_of_work() as session:
            return sending.open_case(session, actor, self.vault, command, self.now).case_reference

    def send(
        self, reference: str, kind: str, to: str, actor: Actor | None = None, **body: Any
    ) -> UUID:
        words = {"type": kind, "to": [to], "body": body, "callback_telephone": "020 7946 0001"}
        command = Command.model_validate(words)
        with self.database.unit_of_work() as session:
            return sending.send(
                session, actor or self.met, self.vault, reference, command, self.now
            ).message_id

    def offer(self, reference: str, to: str, actor: Actor | None = None) -> UUID:
        return self.send(reference, "lead-transfer-request", to, actor,
                         rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip

    def catch_up(self, now: datetime) -> int:
        with self.database.unit_of_work() as session:
            return receipts.catch_up(session, now)

    def due(self, message_id: UUID, kind: str = "lead-routine") -> datetime | None:
        with self.database.unit_of_work() as session:
            return session.scalars(
                select(Clock.due_at).where(Clock.message_id == message_id, Clock.kind == kind)
            ).one()

    def delivered(self, message_id: UUID) -> bool:
        with self.database.unit_of_work() as session:
            found = select(Receipt.kind).where(
                Receipt.message_id == message_id, Receipt.kind == "delivered"
            )
            return session.scalar(found) is not None


@pytest.fixture
def hub(database: Database, vault: Vault, someone: Callable[..., Actor]) -> Hub:
    return Hub(database, vault, someone)


def test_staff_find_what_waited_and_have_the_whole_time_for_it(hub: Hub) -> None:
    offer = hub.offer(hub.open(), KENT)
    assert hub.catch_up(hub.now) == 0
    assert hub.due(offer) is None
    hub.someone(KENT)
    later = hub.now + timedelta(hours=2)
    assert hub.catch_up(later) == 1
    assert hub.delivered(offer)
    assert hub.due(offer) == later + timedelta(hours=1)
    assert hub.catch_up(later + timedelta(minutes=1)) == 0


def test_any_number_of_messages_to_units_that_stay_away_delays_nobody(hub: Hub) -> None:
    reference = hub.open()
    waits = hub.send(reference, "update", DEVON, heading="other", text="EXERCISE")
    with hub.database.unit_of_work() as session:
        session.execute(SIX_HUNDRED_MORE, {"id": waits})
    offer = hub.offer(hub.open(), KENT)
    hub.someone(KENT)
    hub.catch_up(hub.now + timedelta(minutes=1))
    assert hub.delivered(offer)


def test_a_system_that_fetches_what_waited_starts_its_clock(hub: Hub) -> None:
    offer = hub.offer(hub.open(), KENT)
    with hub.database.unit_of_work() as session:
        clients.add_client(
            session, audit.Who("system", name="test"), name="EXERCISE Kent", organisation="kent",
            unit=KENT, scopes=["cases:read"], now=hub.now,
        )  # fmt: skip
    kent = replace(hub.someone(KENT, "auditor"), kind="client", id=uuid4())
    later = hub.now + timedelta(hours=2)
    with hub.database.unit_of_work() as session:
        receipts.delivered(session, kent, [offer], later)
    assert hub.due(offer) == later + timedelta(hours=1)
    assert hub.due(offer, "opened-request") == later + timedelta(minutes=30)
    with hub.database.unit_of_work() as session:
        receipts.delivered(session, kent, [offer], later + timedelta(minutes=5))
    assert hub.due(offer) == later + timedelta(hours=1)


def test_staff_of_the_exercise_end_no_link_of_an_actual_case(hub: Hub) -> None:
    actual = hub.someone(MET, status="actual")
    offers = {
        "actual": hub.offer(hub.open(actual, "actual"), KENT, actual),
        "exercise": hub.offer(hub.open(), KENT),
    }
    with hub.database.unit_of_work() as session:
        contact = session.execute(text("SELECT id FROM contact_point LIMIT 1")).scalar_one()
        kent = session.execute(
            text("SELECT id FROM unit WHERE code = :code"), {"code": KENT}
        ).scalar_one()
        for status, message_id in offers.items():
            session.add(
                GuestLink(
                    id=uuid4(), token_hash=status.encode().ljust(32), code_hash=bytes(32),
                    message_id=message_id, unit_id=kent, contact_point_id=contact,
                    mailbox="team@example.org", attempts=0, created_at=hub.now,
                    expires_at=hub.now + timedelta(hours=24), issued_by=hub.met.id,
                )
            )  # fmt: skip
    hub.someone(KENT)
    hub.catch_up(hub.now + timedelta(minutes=1))
    with hub.database.unit_of_work() as session:
        ended = {
            bytes(row.token_hash).strip().decode(): row.revoked_at is not None
            for row in session.execute(select(GuestLink.token_hash, GuestLink.revoked_at))
        }
    assert ended == {"actual": False, "exercise": True}
