"""The exercise's cases: one half-way, its lead offered to Kent urgently, and a placement with a plan.

Told by the same services that the pages use, so that every rule has been kept.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import sending
from messaging.contracts import Command
from messaging.model import Case
from seed.cast import CENTRAL_NORTH, EAST_KENT

STATUS = "exercise"
REPORTERS_NUMBER = "020 7946 0201"
MET_NUMBER = "020 7946 0101"
KENT_NUMBER = "01632 960201"


def tell(
    session: Session,
    vault: Vault,
    now: datetime,
    *,
    social_worker: Actor,
    met_officer: Actor,
    kent_officer: Actor,
) -> None:
    """Tell them, unless an exercise has already begun here; all of it happens at `now`."""
    if session.scalar(select(Case.id).where(Case.status == STATUS).limit(1)) is not None:
        return
    report = sending.open_case(session, social_worker, vault, _report(now), now)
    reference = report.case_reference
    recorded = _report(now, in_reply_to=report.message_id)
    sending.send(session, met_officer, vault, reference, recorded, now)
    sending.send(session, met_officer, vault, reference, _sighting(), now)
    sending.send(session, met_officer, vault, reference, _offer(), now)
    today = now.astimezone(LONDON).date()
    placed = sending.open_case(session, social_worker, vault, _placement(today), now)
    sending.send(session, met_officer, vault, placed.case_reference, _plan(today), now)
    sending.send(session, kent_officer, vault, placed.case_reference, _agreed(kent_officer), now)


def _report(now: datetime, **reply: Any) -> Command:
    body: dict[str, Any] = {
        "child": {
            "family_name": "Marlowe",
            "given_name": "Jamie",
            "age": 14,
            "sex": "male",
            "placement_address": "EXERCISE children’s home, Margate",
            "description": "Slim, 165 cm, short brown hair, scar above the left eyebrow.",
        },
        "last_seen_at": (now - timedelta(hours=3)).isoformat(),
        "last_seen_place": "Contact visit at a family centre in Islington",
        "risk": "high",
        "why": "EXERCISE. Left the centre after a telephone call and got into a car. Placed in"
        " Margate two weeks ago; missing twice since, found both times near the station there."
        " Older men have been seen waiting for him.",
        "category": "M",
        "clothing": "Black puffer jacket, grey jogging bottoms, white trainers",
        "out_of_character": False,
        "previous_episodes": "Twice this month, found near Margate station",
        "risk_flags": ["CCE", "county lines"],
    }
    if reply:
        body |= {
            "callback_telephone": MET_NUMBER,
            "associates": "EXERCISE. An older boy known as “Ace”, seen with him in Margate.",
            "live_lines": "EXERCISE. CCTV of the family centre kept for seven days.",
        }
        return Command(type="missing-episode-report", priority="urgent", body=body, **reply)
    return Command(
        type="missing-episode-report",
        to=[CENTRAL_NORTH],
        priority="urgent",
        status=STATUS,
        callback_telephone=REPORTERS_NUMBER,
        body={**body, "callback_telephone": REPORTERS_NUMBER},
    )


def _sighting() -> Command:
    return Command(
        type="update",
        priority="urgent",
        body={
            "heading": "sighting",
            "text": "EXERCISE. Station staff at St Pancras saw a boy of this description board the"
            " train to Margate. Nobody has spoken to him.",
        },
    )


def _offer() -> Command:
    return Command(
        type="lead-transfer-request",
        to=[EAST_KENT],
        priority="urgent",
        callback_telephone=MET_NUMBER,
        body={
            "rationale": "best-opportunity-to-locate",
            "circumstances": "EXERCISE. Placed in Margate; last seen on a train to Margate, where"
            " he was found twice before. Nearly all that is left to do is in Thanet.",
            "risk": "high",
            "actions_done": "Family centre and home searched; sister spoken to; circulated to"
            " British Transport Police.",
            "actions_outstanding": "Margate station and seafront; the children’s home; CCTV of the"
            " train’s arrival.",
            "live_lines": "EXERCISE. CCTV at St Pancras kept for seven days; telephone last on at"
            " St Pancras.",
            "warnings": "EXERCISE. None known to officers.",
            "authorised_by": "Inspector Ruth Adeyemi",
        },
    )


def _placement(today: date) -> Command:
    return Command(
        type="placement-notification",
        status=STATUS,
        callback_telephone=REPORTERS_NUMBER,
        body={
            "action": "new",
            "child": {
                "family_name": "Ashdown",
                "given_name": "Skye",
                "age": 15,
                "sex": "female",
                "description": "Tall, long red hair, glasses.",
            },
            "placement_address": "EXERCISE House, Margate",
            "placement_postcode": "CT9 1EZ",
            "starts_on": today.isoformat(),
            "at_a_distance": True,
            # Named, since whoever sets the exercise up may have no postcodes to look up.
            "destination_unit": EAST_KENT,
            "home_unit": CENTRAL_NORTH,
            "social_worker": "Priya Nandra",
            "social_worker_telephone": REPORTERS_NUMBER,
            "reasons_for_placement": "EXERCISE. Away from adults in Islington who exploited her.",
            "risk_flags": ["CSE", "previous missing"],
            "missing_history": "EXERCISE. Twice this year, found both times at her aunt’s.",
        },
    )


def _plan(today: date) -> Command:
    return Command(
        type="joint-response-plan",
        body={
            "lead_unit": EAST_KENT,
            "first_actions_home": "EXERCISE. Go to the aunt’s address and to the family home; ask"
            " for CCTV at St Pancras.",
            "first_actions_destination": "EXERCISE. Search the home and the seafront; ask for CCTV"
            " at Margate station.",
            "contacts_in_hours": f"EXERCISE. Central North {MET_NUMBER}; East Kent {KENT_NUMBER}",
            "contacts_out_of_hours": "EXERCISE. Duty inspectors: Central North 020 7946 0102; East"
            " Kent 01632 960202",
            "review_on": (today + timedelta(days=90)).isoformat(),
            "trigger_places": "EXERCISE. The aunt’s address in Islington; trains to St Pancras.",
            "strategy_meeting": "EXERCISE. Islington calls it within a working day; both police"
            " attend.",
        },
    )


def _agreed(officer: Actor) -> Command:
    return Command(
        type="plan-reply",
        body={"answer": "agrees", "named_person": f"{officer.rank_or_role} {officer.name}"},
    )
