"""Placements, plans, and the lead that comes by a plan (DOMAIN.md 4.1b)."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.app import create_app
from hub.clock import LONDON
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import alarms, attachments, downloads, guests, open_questions, plans, sending, views
from messaging.attachments import Label, Place
from messaging.contracts import Command
from messaging.guest_secrets import Guest
from tests.documents import picture
from tests.worlds import ACCEPT, KENT, MET, REPORT, World, refused

AWAY = "devon-and-cornwall"
KENT_COUNCIL = "E10000016/childrens-social-care"
ESSEX_COUNCIL = "E10000012/childrens-social-care"


@pytest.fixture
def looked_up(settings: Settings, keys: Keys) -> Iterator[Flask]:
    """Look postcodes up, as a web process does."""
    app = create_app(settings, keys=keys)
    with app.app_context():
        yield app
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


@pytest.fixture
def world(
    database: Database, vault: Vault, someone: Callable[..., Actor], looked_up: Flask
) -> World:
    return World(database, vault, someone)


def day(world: World, offset: int = 0) -> date:
    return world.now.astimezone(LONDON).date() + timedelta(days=offset)


def notice(world: World, **more: Any) -> dict[str, Any]:
    return {
        "child": {"given_name": "EXERCISE child", "age": 14},
        "placement_address": "EXERCISE House, Margate",
        "placement_postcode": "CT9 1EZ",
        "starts_on": day(world).isoformat(),
        "social_worker_telephone": "020 7946 0201",
        "risk_flags": ["CCE"],
        **more,
    }


def place(world: World, **more: Any) -> sending.Sent:
    world.now += timedelta(seconds=1)
    command = Command(type="placement-notification", status="exercise", body=notice(world, **more))
    with world.database.unit_of_work() as session:
        return sending.open_case(session, world.social_worker, world.vault, command, world.now)


def plan(world: World, lead: str = MET, **more: Any) -> dict[str, Any]:
    return {
        "lead_unit": lead,
        "first_actions_home": "EXERCISE home",
        "first_actions_destination": "EXERCISE destination",
        "contacts_in_hours": "EXERCISE 01632 960201",
        "contacts_out_of_hours": "EXERCISE 01632 960200",
        "associates": "EXERCISE associates",
        "review_on": day(world, 30).isoformat(),
        **more,
    }


AGREE = {"answer": "agrees", "named_person": "EXERCISE Inspector"}


def agreed(world: World, lead: str = MET, **more: Any) -> str:
    ref = place(world).case_reference
    world.send(world.met, ref, "joint-response-plan", **plan(world, lead, **more))
    world.send(world.kent, ref, "plan-reply", **AGREE)
    return ref


def plans_of(world: World, ref: str) -> list[tuple[int, str]]:
    with world.database.unit_of_work() as session:
        rows = session.execute(
            text("SELECT p.version, p.state FROM plan p JOIN cases c ON c.id = p.case_id"
                 " WHERE c.reference = :ref ORDER BY p.version"),
            {"ref": ref},
        )  # fmt: skip
        return [(row.version, row.state) for row in rows]


def clocks(world: World) -> list[str]:
    """Return what runs for a plan."""
    running = ("SELECT kind FROM clock WHERE kind LIKE 'plan-%' AND met_at IS NULL"
               " AND ended_at IS NULL ORDER BY kind")  # fmt: skip
    with world.database.unit_of_work() as session:
        return list(session.scalars(text(running)))


def by_reference(world: World, actor: Actor, ref: str, **more: Any) -> sending.Sent:
    world.now += timedelta(seconds=1)
    command = Command(
        type="missing-episode-report", status="exercise", body=REPORT, placement_reference=ref,
        **more,
    )  # fmt: skip
    with world.database.unit_of_work() as session:
        return sending.open_case(session, actor, world.vault, command, world.now)


def test_a_placement_tells_both_areas_and_the_host_council_and_they_see_it(world: World) -> None:
    sent = place(world)
    ref = sent.case_reference
    assert [row.type for row in world.inbox(world.kent)] == ["placement-notification"]
    view = world.case(world.kent, ref)
    assert view.full
    assert view.home is not None
    assert view.home.code == MET
    assert {r.unit.code for r in view.messages[0].recipients} == {MET, KENT, KENT_COUNCIL}
    assert {view.names[u].code: r for u, r in sent.reach.items()} == {
        MET: "staffed", KENT: "staffed", KENT_COUNCIL: "not-on-hub",
    }  # fmt: skip
    assert world.case(world.social_worker, ref).full
    assert world.case(world.met, ref).child["given_name"] == "EXERCISE child"
    refused("not-found", lambda: world.case(world.stranger, ref))
    assert view.lead is None


@pytest.mark.parametrize(
    "postcode", ["EH1 1YZ", "CT9", "CT9 1Z", "ZZ99 9ZZ", "nonsense", "CT91EZ2"]
)
def test_a_postcode_that_is_not_sure_asks_for_the_unit(world: World, postcode: str) -> None:
    error = refused("destination-unclear", lambda: place(world, placement_postcode=postcode))
    assert [one.pointer for one in error.fields] == ["/body/destination_unit"]
    ref = place(world, placement_postcode=postcode, destination_unit="essex").case_reference
    assert world.case(world.stranger, ref).full


def test_only_the_placing_council_tells_of_a_placement(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = place(world).case_reference
    refused("not-permitted", lambda: world.send(
        world.kent, ref, "placement-notification", **notice(world, action="change")))  # fmt: skip
    host = someone(KENT_COUNCIL, "practitioner")
    refused("placing-authority", lambda: world.send(
        host, ref, "placement-notification", **notice(world, action="change")))  # fmt: skip
    refused("placement-current", lambda: world.send(
        world.social_worker, ref, "placement-notification", **notice(world)))  # fmt: skip


def test_a_move_tells_old_and_new_and_the_old_sees_what_it_saw(world: World) -> None:
    ref = agreed(world)
    world.send(world.met, ref, "joint-response-plan", **plan(world, KENT))
    moved = world.send(
        world.social_worker, ref, "placement-notification",
        **notice(world, action="change", placement_postcode="CM1 1AB", destination_unit="essex"),
    )  # fmt: skip
    assert {world.met.unit_id, world.kent.unit_id, world.stranger.unit_id} <= set(moved.reach)
    assert plans_of(world, ref) == [(1, "agreed"), (2, "overtaken")]
    assert clocks(world) == []
    assert world.case(world.stranger, ref).full
    assert world.case(world.kent, ref).full
    world.send(world.stranger, ref, "missing-episode-report", **REPORT)
    assert world.case(world.met, ref).request is None, "the plan was for the old placement"
    with world.database.unit_of_work() as session:
        states = session.scalars(text("SELECT state FROM placement ORDER BY id")).all()
    assert states == ["ended", "current"]
    with pytest.raises(DBAPIError), world.database.unit_of_work() as session:
        session.execute(
            text("UPDATE plan SET placement_id = (SELECT id FROM placement WHERE state = 'current')"
                 " WHERE state = 'agreed'")
        )  # fmt: skip


def test_a_move_within_one_units_area_begins_a_placement_and_the_plan_goes_on(
    world: World,
) -> None:
    ref = agreed(world)
    asked = world.send(world.met, ref, "joint-response-plan", **plan(world, KENT))
    moved = world.send(
        world.social_worker, ref, "placement-notification",
        **notice(world, action="change", placement_postcode="CM1 1AB", destination_unit=KENT,
                 starts_on=day(world, -9).isoformat(), emergency=False),
    )  # fmt: skip
    view = world.case(world.met, ref)
    prepared, names = view.prepared, {unit.id: unit.code for unit in view.names.values()}
    assert prepared is not None
    assert prepared.current is not None
    assert prepared.current.message_id == moved.message_id
    assert prepared.current.starts_on == day(world, -9)
    assert prepared.current.working_days_late > 0
    assert prepared.current.host is not None
    assert names[prepared.current.host] == ESSEX_COUNCIL
    assert {ESSEX_COUNCIL, KENT_COUNCIL} <= {names[unit] for unit in moved.reach}
    assert plans_of(world, ref) == [(1, "agreed"), (2, "proposed")]
    assert prepared.in_force is not None
    world.send(world.kent, ref, "plan-reply", in_reply_to=asked.message_id, answer="declines",
               named_person="EXERCISE", reason="EXERCISE")  # fmt: skip
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    request = world.case(world.met, ref).request
    assert request is not None, "the hub asks by the plan that went on (4.1b)"
    assert (request.to_unit.code, world.lead(ref)) == (MET, KENT)
    world.send(world.met, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == MET


def test_the_lead_comes_by_the_plan_when_the_unit_that_it_names_accepts(world: World) -> None:
    ref = agreed(world)
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    assert world.lead(ref) == KENT, "who records leads from the first second"
    view = world.case(world.met, ref)
    asked = view.messages[-1]
    assert (asked.type, asked.number, asked.priority) == ("lead-transfer-request", 5, "urgent")
    assert asked.body["rationale"] == "agreed-plan"
    assert asked.sender_name == "Missing Children Hub"
    assert view.request is not None
    assert view.request.to_unit.code == MET
    assert view.request.due_at == world.now + timedelta(minutes=10)
    refused("lead-request-open", lambda: world.send(
        world.kent, ref, "lead-transfer-request", to=["essex"], rationale="majority-of-enquiries",
        circumstances="EXERCISE"))  # fmt: skip
    world.send(world.met, ref, "lead-transfer-accept", **ACCEPT)
    assert world.lead(ref) == MET
    assert [t.basis for t in world.case(world.kent, ref).tenures] == ["recorded", "agreed-plan"]


def test_a_decline_or_silence_moves_nothing_and_a_later_offer_is_no_plans(world: World) -> None:
    ref = agreed(world)
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    world.now += timedelta(minutes=11)
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, world.now)
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.request_no == 2
    world.send(world.met, ref, "lead-transfer-decline", reason="wrong-area")
    assert world.lead(ref) == KENT
    world.send(world.met, ref, "dispute", grounds="EXERCISE")
    world.send(world.kent, ref, "lead-transfer-request", to=[MET], rationale="agreed-plan",
               circumstances="EXERCISE")  # fmt: skip
    world.send(world.met, ref, "lead-transfer-accept", **ACCEPT)
    assert [t.basis for t in world.case(world.kent, ref).tenures] == ["recorded", "accepted"]


def test_no_request_for_a_plan_that_names_the_recorder_or_is_in_force_no_more(world: World) -> None:
    ref = agreed(world, KENT)
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    assert world.case(world.met, ref).request is None
    past = agreed(world)
    ended = agreed(world)
    world.send(world.social_worker, ended, "placement-notification",
               **notice(world, action="end", starts_on=day(world, -9).isoformat(),
                        ends_on=day(world, 5).isoformat()))  # fmt: skip
    world.now += timedelta(days=6)
    world.send(world.kent, ended, "missing-episode-report", **REPORT)
    assert world.case(world.met, ended).request is None, "the last day is past"
    world.now += timedelta(days=25)
    world.send(world.kent, past, "missing-episode-report", **REPORT)
    assert world.lead(past) == KENT
    assert world.case(world.met, past).request is None, "past its review"


def asks_by_plan(world: World, ref: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Record the child missing in Kent; say whether the Met is asked, and the database agrees."""
    with monkeypatch.context() as patch:
        patch.setattr(plans, "lapse", lambda *_: None)
        try:
            with world.database.unit_of_work() as session:
                command = Command(type="missing-episode-report", body=REPORT)
                sending.send(session, world.kent, world.vault, ref, command, world.now)
                session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
                session.rollback()
            let_in = True
        except HubError as error:
            assert error.code == "plan-not-in-force"
            let_in = False
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    request = world.case(world.met, ref).request
    assert (request is not None) == let_in
    assert request is None or request.to_unit.code == MET
    return let_in


def lapse(world: World, ref: str) -> str | None:
    prepared = world.case(world.met, ref).prepared
    assert prepared is not None
    assert (prepared.in_force is None) == (prepared.lapse is not None)
    return prepared.lapse


@pytest.mark.parametrize(("later", "lapsed"), [(1, "placement-not-begun"), (2, None)])
def test_a_plan_is_in_force_from_the_first_day_of_its_placement(
    world: World, monkeypatch: pytest.MonkeyPatch, later: int, lapsed: str | None
) -> None:
    ref = place(world, starts_on=day(world, 2).isoformat()).case_reference
    early = plan(world, review_on=day(world, 1).isoformat())
    refused("review-before", lambda: world.send(world.met, ref, "joint-response-plan", **early))
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", **AGREE)
    world.now += timedelta(days=later)
    assert lapse(world, ref) == lapsed
    assert asks_by_plan(world, ref, monkeypatch) == (lapsed is None)


@pytest.mark.parametrize("by", ["the home", "the council"])
def test_a_plan_of_the_home_before_asks_nobody_for_the_new_home_never_agreed_to_it(
    world: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    ref = place(world).case_reference
    proposer = {"the home": world.met, "the council": world.social_worker}[by]
    words = {name: value for name, value in plan(world).items() if name != "associates"}
    world.send(proposer, ref, "joint-response-plan", **words)
    world.send(world.kent if proposer is world.met else world.met, ref, "plan-reply", **AGREE)
    world.send(world.kent, ref, "joint-response-plan", **plan(world))
    moved = {"action": "change", "home_unit": "essex"}
    world.send(world.social_worker, ref, "placement-notification", **notice(world, **moved))
    assert plans_of(world, ref) == [(1, "agreed"), (2, "overtaken")]
    assert lapse(world, ref) == "home-changed"
    assert clocks(world) == []
    assert not asks_by_plan(world, ref, monkeypatch)


def test_a_plan_of_council_and_destination_outlives_a_change_of_home(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = place(world).case_reference
    words = {name: value for name, value in plan(world, KENT).items() if name != "associates"}
    world.send(world.social_worker, ref, "joint-response-plan", **words)
    world.send(world.kent, ref, "plan-reply", **AGREE)
    moved = {"action": "change", "home_unit": "essex"}
    world.send(world.social_worker, ref, "placement-notification", **notice(world, **moved))
    assert lapse(world, ref) is None
    world.send(world.stranger, ref, "missing-episode-report", **REPORT)
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.to_unit.code == KENT


ESSEX = {"action": "change", "placement_postcode": "CM1 1AB", "destination_unit": "essex"}
HERE = {"action": "change", "placement_address": "EXERCISE other house, Margate"}


def moves(world: World, ref: str, days: int, **more: Any) -> None:
    """Tell of a move so many days ahead."""
    world.send(world.social_worker, ref, "placement-notification",
               **notice(world, **{"starts_on": day(world, days).isoformat(), **more}))  # fmt: skip


def placed(world: World, ref: str) -> list[tuple[str, date, date | None]]:
    """Return where the child is, and where they move to, with the days."""
    view = world.case(world.met, ref)
    assert view.prepared is not None
    found = (view.prepared.current, view.prepared.following)
    return [(view.names[p.destination].code, p.starts_on, p.ends_on) for p in found if p]


def test_until_a_move_that_is_told_ahead_the_child_is_where_they_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = day(world)
    gap, begun = agreed(world), agreed(world)
    for ref in (gap, begun):
        world.send(world.met, ref, "joint-response-plan", **plan(world, KENT))
        moves(world, ref, 3, **ESSEX)
        assert plans_of(world, ref) == [(1, "agreed"), (2, "overtaken")]
        assert placed(world, ref) == [
            (KENT, first, day(world, 2)),
            ("essex", day(world, 3), None),
        ]
        # What is planned now is for the move.
        refused("plan-lead", lambda r=ref: world.send(
            world.met, r, "joint-response-plan", **plan(world, KENT)))  # fmt: skip
        world.send(world.met, ref, "joint-response-plan", **plan(world, MET))
        world.send(world.stranger, ref, "plan-reply", **AGREE)
        assert plans_of(world, ref)[2:] == [(3, "agreed")]
    world.now += timedelta(days=2)
    prepared = world.case(world.met, gap).prepared
    assert prepared is not None
    assert prepared.in_force is not None
    assert prepared.agreed_following is not None
    assert (prepared.in_force.version, prepared.agreed_following.version) == (1, 3)
    assert asks_by_plan(world, gap, monkeypatch), "the last day"
    world.now += timedelta(days=1)
    prepared = world.case(world.met, begun).prepared
    assert prepared is not None
    assert prepared.in_force is not None
    assert (prepared.in_force.version, prepared.agreed_following) == (3, None)
    assert placed(world, begun) == [("essex", day(world), None)]
    assert asks_by_plan(world, begun, monkeypatch)
    world.send(world.met, begun, "joint-response-plan", **plan(world, MET))
    world.send(world.stranger, begun, "plan-reply", **AGREE)
    assert plans_of(world, begun)[::2] == [(1, "superseded"), (3, "superseded")]


def test_a_plan_for_the_move_is_none_of_where_the_child_is(world: World) -> None:
    ref = place(world).case_reference
    moves(world, ref, 3, **ESSEX)
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.stranger, ref, "plan-reply", **AGREE)
    prepared = world.case(world.met, ref).prepared
    assert prepared is not None
    assert prepared.agreed is None
    assert prepared.agreed_following is not None
    world.now += timedelta(days=3)
    prepared = world.case(world.met, ref).prepared
    assert prepared is not None
    assert prepared.in_force is not None
    assert (prepared.in_force.version, prepared.agreed_following) == (1, None)


def test_without_a_plan_for_the_move_nobody_is_asked_from_its_first_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = agreed(world)
    moves(world, ref, 3, **ESSEX)
    world.now += timedelta(days=3)
    assert lapse(world, ref) == "placement-ended"
    assert not asks_by_plan(world, ref, monkeypatch)


@pytest.mark.parametrize("later", [0, 2, 3, 9])
def test_a_plan_goes_on_through_a_move_with_the_same_police_that_is_told_ahead(
    world: World, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    ref = agreed(world)
    moves(world, ref, 3, **HERE)
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", **AGREE)
    assert plans_of(world, ref) == [(1, "superseded"), (2, "agreed")]
    world.now += timedelta(days=later)
    assert lapse(world, ref) is None
    assert asks_by_plan(world, ref, monkeypatch)


def test_a_move_told_anew_before_it_begins_is_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = day(world)
    ref = agreed(world)
    moves(world, ref, 3, **ESSEX)
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    moves(world, ref, 5, **ESSEX)
    assert placed(world, ref) == [(KENT, first, day(world, 4)), ("essex", day(world, 5), None)]
    world.send(world.stranger, ref, "plan-reply", **AGREE)
    assert plans_of(world, ref) == [(1, "agreed"), (2, "agreed")]
    moves(world, ref, 6, **HERE)
    assert placed(world, ref) == [(KENT, first, day(world, 5)), (KENT, day(world, 6), None)]
    world.now += timedelta(days=6)
    prepared = world.case(world.met, ref).prepared
    assert prepared is not None
    assert prepared.in_force is not None
    assert prepared.in_force.version == 1
    moves(world, ref, -2, **HERE)
    assert placed(world, ref) == [(KENT, day(world, -2), None)], "told late of what was told ahead"
    assert asks_by_plan(world, ref, monkeypatch)


def test_the_review_is_reminded_of_again_where_a_move_is_taken_back(world: World) -> None:
    ref = agreed(world)
    moves(world, ref, 3, **ESSEX)
    assert clocks(world) == []
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.stranger, ref, "plan-reply", **AGREE)
    moves(world, ref, 5, **HERE)
    assert lapse(world, ref) is None
    assert clocks(world) == ["plan-review"], "of the plan that goes on"
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", **AGREE)
    assert plans_of(world, ref) == [(1, "superseded"), (2, "superseded"), (3, "agreed")]
    assert clocks(world) == ["plan-review"], "of the newest"


def test_the_review_is_reminded_of_again_where_the_case_is_opened_again(world: World) -> None:
    ref = agreed(world)
    words = {"authorised_by": "EXERCISE"}
    world.send(world.social_worker, ref, "closure", outcome="EXERCISE", **words)
    assert clocks(world) == []
    world.send(world.social_worker, ref, "reopen", reason="EXERCISE", **words)
    assert clocks(world) == ["plan-review"], "of the plan that is in force again"


@pytest.mark.parametrize("more", [ESSEX, HERE])
def test_an_end_that_was_told_is_put_off_by_no_move(world: World, more: dict[str, Any]) -> None:
    first, last = day(world), day(world, 3)
    ref = agreed(world)
    moves(world, ref, 0, action="end", ends_on=last.isoformat())
    for days in (6, 9):
        moves(world, ref, days, **more)
        then = placed(world, ref)[1]
        assert placed(world, ref)[0] == (KENT, first, last)
        assert then[1:] == (day(world, days), None)
    world.now += timedelta(days=3)
    assert lapse(world, ref) is None
    world.now += timedelta(days=1)
    assert placed(world, ref) == [then], "nowhere until the move"
    assert lapse(world, ref) == ("placement-ended" if more is ESSEX else "placement-not-begun")
    assert filled(world, ref) == ""


def test_an_end_before_a_move_that_was_told_ahead_calls_it_off(world: World) -> None:
    first = day(world)
    ref, then = agreed(world), agreed(world)
    for one in (ref, then):
        moves(world, one, 3, **ESSEX)
        world.send(world.met, one, "joint-response-plan", **plan(world))
    moves(world, ref, 0, action="end", ends_on=day(world, 2).isoformat())
    assert placed(world, ref) == [(KENT, first, day(world, 2))]
    assert plans_of(world, ref) == [(1, "agreed"), (2, "overtaken")]
    assert lapse(world, ref) is None
    moves(world, then, 3, action="end", ends_on=day(world, 9).isoformat())
    assert placed(world, then) == [
        (KENT, first, day(world, 2)),
        ("essex", day(world, 3), day(world, 9)),
    ]
    world.now += timedelta(days=3)
    assert (placed(world, ref), lapse(world, ref)) == ([], "placement-ended")
    moves(world, ref, -1, action="new")
    assert placed(world, ref) == [(KENT, day(world, -1), None)]
    assert lapse(world, ref) == "placement-ended", "a new placement is planned for anew"


@pytest.mark.parametrize("last", [-1, 0, 2])
def test_an_end_before_a_move_ends_what_is_proposed_for_the_move_once(
    world: World, last: int
) -> None:
    ref = agreed(world)
    world.now += timedelta(days=3)
    moves(world, ref, 9, **ESSEX)
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    moves(world, ref, -3, action="end", ends_on=day(world, last).isoformat())
    assert plans_of(world, ref) == [(1, "agreed"), (2, "overtaken")]
    assert (lapse(world, ref) is None) == (last >= 0)
    assert clocks(world) == [], "its review is after the last day"


def test_what_answers_something_else_than_a_plan_that_waits_is_refused_in_words(
    world: World,
) -> None:
    ref = place(world, destination_unit=KENT, home_unit=MET).case_reference
    asked = world.send(world.met, ref, "joint-response-plan", **plan(world))
    error = refused("question-answered", lambda: world.send(
        world.kent, ref, "information-response", in_reply_to=asked.message_id,
        outcome="none-held"))  # fmt: skip
    assert "winner" not in error.extra, "nobody has answered it"


def test_a_plan_is_agreed_by_the_other_side_in_versions(
    world: World, someone: Callable[..., Actor]
) -> None:
    host = someone(KENT_COUNCIL, "practitioner")
    ref = place(world).case_reference
    refused("plan-side", lambda: world.send(
        host, ref, "joint-response-plan", **plan(world)))  # fmt: skip
    refused("plan-lead", lambda: world.send(
        world.met, ref, "joint-response-plan", **plan(world, "essex")))  # fmt: skip
    refused("plan-answered", lambda: world.send(world.met, ref, "plan-reply", **AGREE))
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    row = next(one for one in world.inbox(world.kent) if one.need == "answer")
    assert row.type == "joint-response-plan"
    assert row.due_at is not None
    refused("plan-side", lambda: world.send(world.met, ref, "plan-reply", **AGREE))
    refused("plan-proposed", lambda: world.send(
        world.met, ref, "joint-response-plan", **plan(world)))  # fmt: skip
    words = plan(world, KENT, trigger_places="EXERCISE pier")
    world.send(
        world.kent, ref, "plan-reply", answer="amends", named_person="EXERCISE PC", plan=words
    )
    assert plans_of(world, ref) == [(1, "amended"), (2, "proposed")]
    view = world.case(world.social_worker, ref)
    assert [m.type for m in view.messages[-2:]] == ["plan-reply", "joint-response-plan"]
    assert "associates" not in view.messages[-1].body
    assert "plan" not in view.messages[-2].body, "police’s part of it would be everybody’s"
    assert "associates" in world.case(world.met, ref).messages[-1].body
    world.send(world.met, ref, "plan-reply", **AGREE)
    late = refused("plan-answered", lambda: world.send(
        world.met, ref, "plan-reply", in_reply_to=view.messages[-1].id, **AGREE))  # fmt: skip
    assert late.extra["winner"]["outcome"] == "agreed"
    world.send(world.kent, ref, "joint-response-plan", **plan(world))
    assert plans_of(world, ref)[1:] == [(2, "agreed"), (3, "proposed")]
    world.send(
        world.met, ref, "plan-reply", answer="declines", named_person="EXERCISE", reason="EXERCISE"
    )
    world.send(world.kent, ref, "joint-response-plan", **plan(world))
    world.send(world.met, ref, "plan-reply", **AGREE)
    assert plans_of(world, ref)[1:] == [(2, "superseded"), (3, "declined"), (4, "agreed")]
    assert clocks(world) == ["plan-review"], "of the one that is agreed"


def test_the_reference_of_a_placement_is_the_key_and_nothing_else_is(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = agreed(world)
    other = world.open(world.met).case_reference
    for wrong in ("EX-2222-2222", other, "x", "EX" * 50):
        error = refused("placement-reference", lambda wrong=wrong: by_reference(
            world, world.stranger, wrong))  # fmt: skip
        assert error.status == 422
    actual = someone("essex", status="actual")
    refused("status-mismatch", lambda: by_reference(world, actual, ref))
    sent = by_reference(world, world.stranger, ref.lower())
    assert sent.case_reference == ref
    assert world.lead(ref) == "essex"
    view = world.case(world.stranger, ref)
    assert view.full
    assert view.request is not None
    assert view.request.to_unit.code == MET
    assert {"placement-notification", "joint-response-plan"} <= {m.type for m in view.messages}
    assert {world.met.unit_id, world.kent.unit_id, world.social_worker.unit_id} <= set(sent.reach)
    with world.database.unit_of_work() as session:
        found = session.execute(
            text("SELECT reason_code, who_unit_id FROM audit_record WHERE action = 'disclosure'"
                 " AND reason_code = 'placement-reference'")
        ).all()  # fmt: skip
    assert [row.who_unit_id for row in found] == [world.stranger.unit_id]


def test_a_practitioner_who_names_the_reference_sees_their_report_and_no_more(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = agreed(world)
    school = someone("E06000035/childrens-social-care", "practitioner")
    sent = by_reference(world, school, ref, to=[KENT])
    assert {world.met.unit_id, world.kent.unit_id} <= set(sent.reach)
    view = world.case(school, ref)
    assert not view.full
    assert [m.type for m in view.messages] == ["missing-episode-report"]
    night = someone("E09000019/edt", "practitioner")
    error = refused("report-open", lambda: by_reference(world, night, ref, to=[KENT]))
    assert error.sentence.startswith(
        "Police have been told of a report with this reference: ring East Kent on "
    )
    assert error.extra.keys() == {"unit", "ring"}, "how it stands is for parties"
    refused("not-found", lambda: world.case(night, ref))
    error = refused("report-open", lambda: by_reference(world, world.social_worker, ref, to=[KENT]))
    assert error.extra["state"] == "awaiting-police"
    assert (error.extra["unit"]["code"], error.extra["since"]) == (KENT, sent.sent_at.isoformat())
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    assert world.lead(ref) == KENT
    assert world.case(world.met, ref).request is not None


def test_lateness_is_told_and_never_a_refusal(world: World) -> None:
    place(world, starts_on=day(world, -30).isoformat())
    with world.database.unit_of_work() as session:
        late = session.scalar(text("SELECT working_days_late FROM placement"))
    assert late is not None
    assert 15 <= late <= 25


def test_the_database_keeps_the_plan_too(world: World) -> None:
    ref = agreed(world)
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    asked = world.case(world.kent, ref).request
    assert asked is not None
    forged = (
        "UPDATE lead_request SET basis = 'accepted' WHERE message_id = :id",
        "UPDATE plan SET state = 'proposed'",
        "UPDATE plan SET state = 'declined'",
        "UPDATE placement SET state = 'ended'",
        "INSERT INTO placement SELECT gen_random_uuid(), case_id, :id, 'current', starts_on, ends_on,"
        " destination_unit_id, host_unit_id, emergency, at_a_distance, 0, NULL FROM placement",
    )
    for statement in forged:
        with pytest.raises((HubError, DBAPIError)), world.database.unit_of_work() as session:
            session.execute(text(statement), {"id": asked.message_id})
    world.send(world.met, ref, "lead-transfer-decline", reason="wrong-area")
    world.send(world.kent, ref, "lead-transfer-request", to=[MET], rationale="majority-of-enquiries",
               circumstances="EXERCISE")  # fmt: skip
    with pytest.raises(HubError) as caught, world.database.unit_of_work() as session:
        session.execute(text("UPDATE lead_request SET basis = 'agreed-plan' WHERE state = 'open'"))
    assert caught.value.code == "plan-not-in-force"


@pytest.mark.parametrize("days", [0, 3])
def test_the_database_lets_no_two_placements_share_a_day(world: World, days: int) -> None:
    ref = place(world, starts_on=day(world, -1).isoformat()).case_reference
    moves(world, ref, 3, **ESSEX)
    told = world.send(world.met, ref, "update", heading="other", text="EXERCISE")
    with pytest.raises(HubError) as caught, world.database.unit_of_work() as session:
        session.execute(
            text("INSERT INTO placement SELECT gen_random_uuid(), case_id, :id, 'current', :on, :on,"
                 " destination_unit_id, host_unit_id, emergency, at_a_distance, 0, :id"
                 " FROM placement LIMIT 1"),
            {"id": told.message_id, "on": day(world, days)},
        )  # fmt: skip
    assert caught.value.code == "placement-current"


def test_the_review_is_reminded_of_on_its_day(world: World) -> None:
    ref = agreed(world, review_on=day(world, 3).isoformat())
    world.now += timedelta(days=4)
    with world.database.unit_of_work() as session:
        while alarms.escalate(session, world.now):
            pass
    steps = world.case(world.met, ref).matters.steps
    assert world.met.unit_id in {s.told for s in steps if s.kind == "plan-review"}


def test_a_second_force_that_names_the_reference_hears_who_leads(world: World) -> None:
    ref = agreed(world)
    world.send(world.kent, ref, "missing-episode-report", **REPORT)
    error = refused("episode-open", lambda: by_reference(world, world.stranger, ref))
    assert error.extra["unit"] == {"code": KENT, "name": "East Kent"}
    assert f"East Kent leads: ring it on {error.extra['ring'][0]['value']}." in error.sentence
    assert "case_reference" not in error.extra
    refused("not-found", lambda: world.case(world.stranger, ref))
    error = refused("episode-open", lambda: by_reference(world, world.met, ref))
    assert error.sentence.endswith(f", and send what you know as an update of {ref}.")
    assert error.extra["case_reference"] == ref


def test_a_unit_away_is_rung_answers_the_plan_as_a_guest_and_takes_the_lead(world: World) -> None:
    sent = place(world, destination_unit=AWAY)
    ref = sent.case_reference
    told = {"called_at": world.now.isoformat(), "outcome": "handed-over", "with_name": "EXERCISE",
            "unit": AWAY}  # fmt: skip
    world.send(world.social_worker, ref, "telephone-record", in_reply_to=sent.message_id, **told)
    facts = {
        r.unit.code: set(r.facts)
        for r in world.case(world.social_worker, ref).messages[0].recipients
    }
    assert facts[AWAY] == {"told-by-telephone"}
    plan_ = world.send(world.met, ref, "joint-response-plan", **plan(world, AWAY))
    assert plan_.reply_due_at is None, "nothing runs until they have been told"
    world.send(world.met, ref, "telephone-record", in_reply_to=plan_.message_id, **told)
    with world.database.unit_of_work() as session:
        asked = open_questions.asked(session, world.met, ref, plan_.number)
        assert asked.unit_code == AWAY
        guest = guests.stand_in(
            session, asked.unit_id, Guest("EXERCISE", "1", "Inspector"), plan_.message_id
        )
        due = session.scalar(text("SELECT due_at FROM clock WHERE kind = 'plan-reply'"))
    assert due == world.now + timedelta(days=3)
    world.send(guest, ref, "plan-reply", in_reply_to=plan_.message_id, **AGREE)
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    request = world.case(world.met, ref).request
    assert request is not None
    assert request.due_at is None
    assert (request.to_unit.code, request.to_reach) == (AWAY, "not-on-hub")
    world.send(guest, ref, "lead-transfer-accept", in_reply_to=request.message_id, **ACCEPT)
    assert world.case(world.met, ref).tenures[-1].basis == "agreed-plan"


def test_a_look_at_the_plan_opens_the_plan_alone(world: World) -> None:
    ref = agreed(world)
    world.send(world.met, ref, "update", heading="other", text="EXERCISE")
    with world.database.unit_of_work() as session:
        views.case_view(session, world.kent, world.vault, ref, world.now, reason_code="test",
                        shows=("joint-response-plan",))  # fmt: skip
    assert [r.type for r in world.inbox(world.kent)] == ["placement-notification", "update"]


def test_whoever_was_asked_before_they_reported_reads_the_question_still(world: World) -> None:
    council = world.someone(ESSEX_COUNCIL, "practitioner")
    ref = agreed(world)
    world.send(world.met, ref, "information-request", to=[ESSEX_COUNCIL], questions="EXERCISE q")
    by_reference(world, council, ref, to=[KENT])
    view = world.case(council, ref)
    assert not view.full
    assert [m.type for m in view.messages] == ["information-request", "missing-episode-report"]
    assert view.messages[0].body["questions"] == "EXERCISE q"
    world.send(council, ref, "information-response", outcome="provided", answers="EXERCISE a")
    world.send(council, ref, "update", heading="other", text="EXERCISE news of a reporter")


@pytest.mark.parametrize("before", [True, False])
def test_nobody_is_reminded_of_a_review_after_the_end_that_is_told_ahead(
    world: World, before: bool
) -> None:
    ref = place(world).case_reference
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    if before:
        world.send(world.kent, ref, "plan-reply", **AGREE)
    moves(world, ref, 0, action="end", ends_on=day(world, 3).isoformat())
    if not before:
        world.send(world.kent, ref, "plan-reply", **AGREE)
    assert (lapse(world, ref), clocks(world)) == (None, [])
    moves(world, ref, 0, action="end", ends_on=day(world, 60).isoformat())
    assert clocks(world) == ["plan-review"], "the end is put off beyond the review"


def test_a_plan_that_waits_when_the_placement_is_over_is_declined(world: World) -> None:
    ref = place(world).case_reference
    asked = world.send(world.met, ref, "joint-response-plan", **plan(world))
    moves(world, ref, 0, action="end", ends_on=day(world, 1).isoformat())
    world.now += timedelta(days=2)
    assert any(row.need == "answer" for row in world.inbox(world.kent))
    view = world.case(world.kent, ref)
    offers = [one for one in view.actions if one.type in ("plan-reply", "joint-response-plan")]
    assert [(one.type, one.in_reply_to) for one in offers] == [("plan-reply", asked.message_id)]
    refused("placement-over", lambda: world.send(world.kent, ref, "plan-reply", **AGREE))
    world.send(world.kent, ref, "plan-reply", answer="declines", named_person="EXERCISE",
               reason="EXERCISE over")  # fmt: skip
    assert plans_of(world, ref) == [(1, "declined")]
    assert clocks(world) == []
    assert all(row.need != "answer" for row in world.inbox(world.kent))


def test_closing_ends_a_proposed_version(world: World) -> None:
    ref = place(world).case_reference
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.social_worker, ref, "closure", outcome="EXERCISE", authorised_by="EXERCISE")
    assert plans_of(world, ref) == [(1, "overtaken")]
    with world.database.unit_of_work() as session:
        views.case_view(session, world.kent, world.vault, ref, world.now, reason_code="test")
    assert all(row.need != "answer" for row in world.inbox(world.kent))


SAME = {"family_name": "Exampleson", "given_name": "EXERCISE Robin", "date_of_birth": "2012-03-27"}


def placed_and_agreed(world: World) -> str:
    ref = place(world, child=SAME).case_reference
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", **AGREE)
    return ref


def test_a_report_by_a_party_goes_into_the_placement_by_itself(world: World) -> None:
    ref = placed_and_agreed(world)
    assert world.open(world.kent, child=SAME).case_reference == ref
    view = world.case(world.met, ref)
    assert view.request is not None
    assert (view.request.to_unit.code, world.lead(ref)) == (MET, KENT)
    error = refused("case-known", lambda: world.open(world.kent, child=SAME))
    assert error.extra["case_reference"] == ref


def attached(world: World, actor: Actor, at: Place | None = None) -> UUID:
    with world.database.unit_of_work() as session:
        at = at or attachments.place_of_new_case(session, actor, [])
        face = Label("EXERCISE face.jpg", "photo", "police")
        file = attachments.examine(picture(), "")
        return attachments.stage(session, actor, world.vault, at, file, face, world.now)


@pytest.mark.parametrize("way", ["typed", "itself", "draft"])
def test_files_for_a_new_case_go_with_a_report_into_the_placements(world: World, way: str) -> None:
    ref = placed_and_agreed(world)
    file = attached(world, world.kent)
    command = Command(
        type="missing-episode-report", status="exercise", body={**REPORT, "child": SAME},
        attachments=[file], placement_reference=ref if way == "typed" else None,
    )  # fmt: skip
    with world.database.unit_of_work() as session:
        if way == "draft":
            sending.send(session, world.kent, world.vault, ref, command, world.now)
        else:
            sending.open_case(session, world.kent, world.vault, command, world.now)
    report = next(m for m in world.case(world.met, ref).messages if m.type == command.type)
    (shown,) = report.attachments
    assert (shown.name, shown.kind, shown.audience) == ("EXERCISE face.jpg", "photo", "police")
    with world.database.unit_of_work() as session:
        found = downloads.open_(
            session, world.met, world.vault, ref, shown.id, world.now, reason_code="test"
        )
        assert attachments.thumbnail(session, world.vault, shown.id).startswith(b"\xff\xd8\xff")
        assert not attachments.waiting(session, world.kent, world.vault, [file], world.now)
        audited = session.execute(
            text("SELECT case_id, detail FROM audit_record WHERE action = 'attachment.upload'"
                 " AND object_id = :id"), {"id": shown.id},
        ).one()  # fmt: skip
        case_id = session.scalar(text("SELECT id FROM cases WHERE reference = :r"), {"r": ref})
        assert (audited.case_id, audited.detail["kind"]) == (case_id, "photo")
        sent = "SELECT detail FROM audit_record WHERE action = 'message.send' AND object_id = :id"
        detail = session.scalar(text(sent), {"id": report.id})
        assert detail["attachments"] == [str(shown.id)]
    content = b"".join(downloads.content(world.database, world.vault, found))
    assert content == attachments.examine(picture(), "").file.content


def test_a_file_of_another_case_or_unit_goes_nowhere(world: World) -> None:
    ref = placed_and_agreed(world)
    other = world.open(world.kent).case_reference
    with world.database.unit_of_work() as session:
        at = attachments.place(session, world.kent, other, world.now)
    for file in (attached(world, world.kent, at), attached(world, world.met)):
        refused(
            "attachment-unknown",
            lambda one=file: by_reference(world, world.kent, ref, attachments=[one]),
        )


def test_a_recording_that_is_admitted_brings_the_plan_into_play(
    world: World, someone: Callable[..., Actor]
) -> None:
    ref = placed_and_agreed(world)
    essex = someone("essex")
    world.open(essex, child=SAME)
    refused("not-found", lambda: world.case(essex, ref))
    world.send(world.met, ref, "admit-recording", reason="EXERCISE")
    assert world.case(essex, ref).full
    assert world.lead(ref) == "essex"
    asked = world.case(world.met, ref).messages[-1]
    assert (asked.type, asked.body["rationale"]) == ("lead-transfer-request", "agreed-plan")
    world.send(world.met, ref, "lead-transfer-accept", **ACCEPT)
    assert [t.basis for t in world.case(essex, ref).tenures] == ["recorded", "agreed-plan"]


def filled(world: World, ref: str) -> str:
    """Return the address that a report is filled in with."""
    with world.database.unit_of_work() as session:
        known = views.prefill(
            session, world.kent, world.vault, ref, "missing-episode-report", world.now
        )
    return str(known.body["child"].get("placement_address", ""))


def test_a_report_is_filled_in_with_where_the_child_is_placed_and_not_with_where_they_move_to(
    world: World,
) -> None:
    ref = place(world).case_reference
    moves(world, ref, 5, **HERE)
    assert filled(world, ref) == "EXERCISE House, Margate, CT9 1EZ"
    world.now += timedelta(days=5)
    assert filled(world, ref) == "EXERCISE other house, Margate, CT9 1EZ"


def test_a_carers_report_lets_no_second_council_into_the_case_of_a_placement(world: World) -> None:
    ref = agreed(world)
    home = world.someone("missing-people/helpline", "practitioner")

    def tell(*to: str) -> str:
        command = Command(
            type="missing-episode-report", status="exercise", to=list(to), placement_reference=ref,
            body={name: value for name, value in REPORT.items() if name != "associates"},
        )  # fmt: skip
        with world.database.unit_of_work() as session:
            return sending.open_case(session, home, world.vault, command, world.now).case_reference

    refused("authority-known", lambda: tell(KENT, ESSEX_COUNCIL))
    assert tell(KENT) == ref
    with pytest.raises(HubError, match="not-found"):
        world.case(world.someone(ESSEX_COUNCIL, "practitioner"), ref)


def test_a_council_that_police_name_beside_the_responsible_one_is_a_host(world: World) -> None:
    ref = agreed(world)
    world.send(world.kent, ref, "missing-episode-report", to=[ESSEX_COUNCIL], **REPORT)
    with world.database.unit_of_work() as session:
        part = session.scalar(
            text("SELECT p.part FROM party p JOIN unit u ON u.id = p.unit_id WHERE u.code = :code"),
            {"code": ESSEX_COUNCIL},
        )
    assert part == "host-authority"


def test_a_carer_that_reports_learns_of_no_plan_by_answering_one(world: World) -> None:
    ref = place(world).case_reference
    home = world.someone("missing-people/helpline", "practitioner")
    report = {name: value for name, value in REPORT.items() if name != "associates"}
    command = Command(type="missing-episode-report", status="exercise", to=[KENT], body=report,
                      placement_reference=ref)  # fmt: skip
    with world.database.unit_of_work() as session:
        sending.open_case(session, home, world.vault, command, world.now)
    world.send(world.kent, ref, "joint-response-plan", **plan(world))
    refused("not-permitted", lambda: world.send(home, ref, "plan-reply", **AGREE))


def test_a_move_that_was_put_off_is_none_when_its_day_comes(world: World) -> None:
    ref = place(world).case_reference
    moves(world, ref, 3, **ESSEX, placement_address="EXERCISE House, Dover")
    moves(world, ref, 9, **HERE)
    world.now += timedelta(days=4)
    assert filled(world, ref) == "EXERCISE House, Margate, CT9 1EZ"
    world.now += timedelta(days=5)
    assert filled(world, ref) == "EXERCISE other house, Margate, CT9 1EZ"


def last_placed(world: World, ref: str) -> tuple[str, date | None]:
    """Return where the child is placed or was last, and its last day."""
    view = world.case(world.met, ref)
    assert view.prepared is not None
    assert view.prepared.placement is not None
    return view.names[view.prepared.placement.destination].code, view.prepared.placement.ends_on


def test_a_move_that_was_called_off_is_none_when_its_day_comes(world: World) -> None:
    ref = place(world).case_reference
    moves(world, ref, 3, **ESSEX, ends_on=day(world, 90).isoformat())
    moves(world, ref, 0, action="end", ends_on=day(world, 1).isoformat())
    last = day(world, 1)
    for _ in range(3):
        assert last_placed(world, ref) == (KENT, last)
        assert filled(world, ref) == "EXERCISE House, Margate, CT9 1EZ"
        world.now += timedelta(days=2)


def test_a_move_whose_end_was_told_before_it_began_is_where_the_child_was_last(
    world: World,
) -> None:
    ref = place(world).case_reference
    moves(world, ref, 3, **ESSEX)
    moves(world, ref, 3, action="end", ends_on=day(world, 5).isoformat())
    last = day(world, 5)
    world.now += timedelta(days=7)
    assert last_placed(world, ref) == ("essex", last)
