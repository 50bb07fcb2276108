"""Placements: both areas’ police and the host council are told, and become parties (DOMAIN.md 8)."""

from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from sqlalchemy import text, update

from directory import public as directory
from directory.public import Placed
from hub.db import new_id
from hub.errors import conflict, forbidden, invalid
from messaging import contracts, placements, plans
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.planning import PLACING, end_plans
from messaging.model import Case, Placement
from messaging.placements import PlacementState, Prepared
from messaging.sending import everyone, unit_named
from messaging.state import PartyUnit

HOST = "host-authority"
CALLED_OFF = {"state": "ended", "ends_on": None}
"""What is taken back before its first day never begins, and has no last day."""
_PAST = text("""
UPDATE placement SET state = 'ended' WHERE case_id = :case_id AND state = 'current'
    AND end_message_id IS NOT NULL AND ends_on < :today
""")


def placement_notification(act: Act) -> None:
    """Tell police of both areas where a child is placed, that they move, or that it ends."""
    body = cast(contracts.PlacementNotification, act.body)
    own = act.case.parties[act.unit]
    if act.actor.organisation_kind != "local-authority" or own.part != PLACING:
        raise forbidden("placing-authority", "The council that places the child tells of it.")
    act.add_party(replace(own, full=True))
    prepared = placements.of_case(act.session, act.case)
    if body.action == "new":
        if prepared.current is not None:
            raise conflict(
                "placement-current", "A placement is current here: say that it changes, or ends."
            )
        _begin(act, body, prepared)
    elif prepared.current is None:
        raise conflict("placement-none", "No placement is current here: tell of a new one.")
    elif body.action == "change":
        _begin(act, body, prepared)
    else:
        _end(act, body, prepared)
    for unit in everyone(act).values():
        act.to.setdefault(unit.unit_id, unit)


def _begin(act: Act, body: contracts.PlacementNotification, prepared: Prepared) -> None:
    """Begin a placement, in the place of what was told before; who was told of that stays a party.

    What is agreed and proposed goes on where it is with the same police (decision 0011).
    """
    destination, placed = _destination(act, body)
    _home(act, body)
    act.add_party(destination)
    act.to[destination.unit_id] = act.case.parties[destination.unit_id]
    host = _host(act, placed)
    today = prepared.today
    act.later(lambda: act.session.execute(_PAST, {"case_id": act.case.id, "today": today}))
    for before in (prepared.current, prepared.following):
        if before is not None:
            last = plans.last_day(before.starts_on, body.starts_on, today, prepared.end_told)
            over = CALLED_OFF if before.starts_on > today else {"state": "ended"}
            _ends(act, before, **({"ends_on": last} if last else over))
    late = plans.working_days_late(
        body.starts_on, today, emergency=bool(body.emergency),
        is_free=lambda day: directory.is_bank_holiday(day, placed.nation),
    )  # fmt: skip
    act.insert(
        "placement",
        {
            "id": new_id(), "case_id": act.case.id, "message_id": act.message_id,
            "starts_on": body.starts_on, "ends_on": body.ends_on,
            "destination_unit_id": destination.unit_id, "host_unit_id": host,
            "emergency": bool(body.emergency), "at_a_distance": bool(body.at_a_distance),
            "working_days_late": late,
        },
    )  # fmt: skip
    end_plans(act, prepared, destination.unit_id)


def _destination(act: Act, body: contracts.PlacementNotification) -> tuple[PartyUnit, Placed]:
    """Return the police unit of the address: as the sender names it, or as the directory is sure.

    Raises:
        HubError: 422 `destination-unclear` where it is not, with the question.
    """
    placed = directory.place_of(body.placement_postcode, act.at)
    if body.destination_unit is not None:
        found = unit_named(act.session, body.destination_unit, "/body/destination_unit", act.at)
    elif placed.unit_id is not None:
        found = unit_named(act.session, str(placed.unit_id), "/body/destination_unit", act.at)
    else:
        raise invalid(
            "destination-unclear",
            f"{placed.unclear} Choose the police unit that answers for the address.",
            "/body/destination_unit",
        )
    return _police(act, found, "/body/destination_unit"), placed


def _home(act: Act, body: contracts.PlacementNotification) -> None:
    """Set the home unit: as the sender names it, or else the police of the council's own area."""
    known = act.case.home
    if body.home_unit is not None:
        home = unit_named(act.session, body.home_unit, "/body/home_unit", act.at)
    elif known is not None:
        return
    else:
        own = directory.home_of(act.actor.organisation_code)
        if own is None:
            raise invalid(
                "home-unclear", "Name the police unit of the child’s home area.", "/body/home_unit"
            )
        home = unit_named(act.session, str(own), "/body/home_unit", act.at)
    home = _police(act, home, "/body/home_unit")
    act.add_party(home)
    act.to[home.unit_id] = act.case.parties[home.unit_id]
    act.case.home = home.unit_id
    act.later(
        lambda: act.session.execute(
            update(Case).where(Case.id == act.case.id).values(home_unit_id=home.unit_id)
        )
    )


def _police(act: Act, unit: PartyUnit, pointer: str) -> PartyUnit:
    if not unit.police:
        raise invalid("unit-unknown", "Name a police unit.", pointer)
    known = act.case.parties.get(unit.unit_id)
    return known if known is not None and known.full else unit


def _host(act: Act, placed: Placed) -> UUID | None:
    """Let the children's team of the host council in, and tell it; None where it is our own."""
    if placed.council_unit is None:
        return None
    team = unit_named(act.session, str(placed.council_unit), "/body/placement_postcode", act.at)
    if team.organisation_id == act.actor.organisation_id:
        return None
    act.add_party(replace(team, part=HOST))
    act.to[team.unit_id] = act.case.parties[team.unit_id]
    return team.unit_id


def _end(act: Act, body: contracts.PlacementNotification, prepared: Prepared) -> None:
    """End the placement on its last day; told ahead, it is current until then.

    A move that was told ahead and begins after that day is off.
    """
    before, ahead, last = prepared.current, prepared.following, body.ends_on
    assert before is not None and last is not None  # noqa: S101, PT018  # its contract
    if ahead is not None and ahead.starts_on <= last:
        before, ahead = ahead, None
    if last < before.starts_on:
        raise invalid("ends-on", "The last day cannot be before the first.", "/body/ends_on")
    if ahead is not None:
        _ends(act, ahead, **CALLED_OFF)
    over = last < prepared.today
    _ends(act, before, ends_on=last, **({"state": "ended"} if over else {}))
    end_plans(act, prepared, None if over else before.destination, last)


def _ends(act: Act, before: PlacementState, **values: Any) -> None:
    """End a placement with this message: at once, or on a day that is told ahead."""
    act.later(
        lambda: act.session.execute(
            update(Placement)
            .where(Placement.id == before.id)
            .values(end_message_id=act.message_id, **values)
        )
    )


def choices(now: Choosing) -> Choices:
    """The council that placed the child tells of a move, of the end, or of another placement."""
    case = now.case
    if any(case.parties[unit].part == PLACING for unit in now.mine) and now.may(
        "placement-notification"
    ):
        yield Action("placement-notification")


def known_placement(known: Knowing) -> dict[str, Any]:
    """Fill in the placement as last told, but for what the hub finds anew and a change has of its own."""
    body = known.given(*contracts.PlacementNotification.model_fields)
    for name in ("destination_unit", "home_unit", "starts_on", "ends_on", "emergency"):
        body.pop(name, None)
    current = known.latest.get("action") in ("new", "change")
    body["action"] = "change" if current else "new"
    return body
