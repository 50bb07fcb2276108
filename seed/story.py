"""The exercise's case, half-way: recorded by the Met, and its lead offered to Kent, urgently.

Told by the same services that the pages use, so that every rule has been kept.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import sending
from messaging.contracts import Command
from messaging.model import Case
from seed.cast import CENTRAL_NORTH, EAST_KENT

STATUS = "exercise"
REPORTERS_NUMBER = "020 7946 0201"
MET_NUMBER = "020 7946 0101"


def tell(
    session: Session,
    vault: Vault,
    now: datetime,
    *,
    social_worker: Actor,
    met_officer: Actor,
) -> None:
    """Tell it, unless an exercise has already begun here; all of it happens at `now`."""
    if session.scalar(select(Case.id).where(Case.status == STATUS).limit(1)) is not None:
        return
    report = sending.open_case(session, social_worker, vault, _report(now), now)
    reference = report.case_reference
    recorded = _report(now, in_reply_to=report.message_id)
    sending.send(session, met_officer, vault, reference, recorded, now)
    sending.send(session, met_officer, vault, reference, _sighting(), now)
    sending.send(session, met_officer, vault, reference, _offer(), now)


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
