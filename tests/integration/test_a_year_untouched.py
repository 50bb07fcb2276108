"""A year of a case that nobody touches, in the database: time is given, and never waited for."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import text

from hub.clock import LONDON
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, sending
from messaging.contracts import Command
from messaging.wording import moment
from tests.worlds import KENT, MET, World

NEW_YEAR = datetime(2027, 1, 1, 3, tzinfo=LONDON)
PLACED = {
    "child": {"given_name": "EXERCISE child", "age": 14}, "placement_address": "EXERCISE",
    "placement_postcode": "CT9 1EZ", "starts_on": "2027-01-02", "destination_unit": KENT,
    "social_worker_telephone": "020 7946 0201", "home_unit": MET,
}  # fmt: skip
PLAN = {
    "lead_unit": MET, "first_actions_home": "EXERCISE", "first_actions_destination": "EXERCISE",
    "contacts_in_hours": "EXERCISE", "contacts_out_of_hours": "EXERCISE", "review_on": "2027-07-01",
}  # fmt: skip


def test_what_nobody_touches_climbs_to_its_end_once_and_moves_nothing(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    """A lead on offer in winter, and a plan whose review falls into summer time."""
    world = World(database, vault, someone)
    world.now = NEW_YEAR
    command = Command(type="placement-notification", body=PLACED, status="exercise")
    with database.unit_of_work() as session:
        placed = sending.open_case(session, world.social_worker, vault, command, world.now)
    world.send(world.kent, placed.case_reference, "joint-response-plan", **PLAN)
    world.send(world.met, placed.case_reference, "plan-reply", answer="agrees",
               named_person="EXERCISE")  # fmt: skip
    ref = world.open(world.met, risk="low").case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT],
               rationale="majority-of-enquiries", circumstances="EXERCISE")  # fmt: skip
    with database.unit_of_work() as session:
        session.execute(text("UPDATE clock SET ended_at = started_at WHERE kind LIKE 'opened%'"))
    while True:
        with database.unit_of_work() as session:
            at = session.scalar(
                text(
                    "SELECT min(escalates_at) FROM clock WHERE met_at IS NULL AND ended_at IS NULL"
                )
            )
            if at is None or at >= NEW_YEAR + timedelta(days=365):
                break
            assert alarms.escalate(session, at)
    with database.unit_of_work() as session:
        steps = session.execute(
            text("""SELECT k.kind, x.rung, x.at FROM escalation x JOIN clock k ON k.id = x.clock_id
                ORDER BY x.at, k.kind""")
        ).all()
    assert [(row.kind, row.rung, moment(row.at)) for row in steps] == [
        ("lead-routine", "repeat", "1 January 2027, 04:00 GMT"),
        ("lead-routine", "repeat", "1 January 2027, 05:00 GMT"),
        ("lead-routine", "duty-inspector", "1 January 2027, 06:00 GMT"),
        ("lead-routine", "control-room", "1 January 2027, 07:00 GMT"),
        ("lead-routine", "coordinator", "1 January 2027, 08:00 GMT"),
        ("lead-routine", "adjudicator", "1 January 2027, 09:00 GMT"),
        ("shift-end", "duty-inspector", "1 January 2027, 11:00 GMT"),
        ("shift-end", "control-room", "1 January 2027, 15:00 GMT"),
        ("review-low", "duty-inspector", "2 January 2027, 03:00 GMT"),
        ("ukmpu", "duty-inspector", "4 January 2027, 03:00 GMT"),
        ("ukmpu", "coordinator", "4 January 2027, 07:00 GMT"),
        ("plan-review", "duty-inspector", "1 July 2027, 09:00 BST"),
    ]
    assert world.lead(ref) == MET
