"""The demonstration exercise: sign-ins, contacts laid over the directory, and its cases."""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory.mailboxes import record_verification
from directory.model import ContactPoint
from hub.clock import LONDON
from hub.db import new_id
from hub.errors import not_found
from hub.identity import people
from hub.identity.actor import Actor
from hub.identity.model import Person
from hub.organisations import Organisation, Unit, find_unit, units_below
from hub.records import audit
from hub.records.keys import Keys
from hub.records.vault import Vault
from seed import cast, story
from seed.cast import Overlay, Player

STATUS = "exercise"
NOTE = "EXERCISE"
SOURCE = "the exercise"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def password(keys: Keys) -> str:
    """Return the one password of this installation's exercise, the same at every start."""
    digest = hmac.digest(keys.session, b"exercise password", hashlib.sha256)
    letters = [ALPHABET[byte % len(ALPHABET)] for byte in digest[:12]]
    return "-".join("".join(letters[at : at + 4]) for at in (0, 4, 8))


def sign_in_lines(keys: Keys) -> list[str]:
    """Return what `hub up` prints: whom one can sign in as, and the password of them all."""
    widest = max(len(player.email) for player in cast.PLAYERS)
    return [
        *(f"{player.email:<{widest}}  {player.shown_as}" for player in cast.PLAYERS),
        f"password of all: {password(keys)}",
    ]


def load(session: Session, keys: Keys, now: datetime) -> None:
    """Set up what is missing of the exercise; what is there stays as it was left."""
    for player in cast.PLAYERS:
        _add_player(session, player, password(keys), now)
    for overlay in cast.OVERLAYS:
        _add_contact(session, overlay, now)
    story.tell(
        session,
        Vault(keys),
        now,
        social_worker=actor_of(session, cast.SOCIAL_WORKER),
        met_officer=actor_of(session, cast.MET_OFFICER),
        kent_officer=actor_of(session, cast.KENT_OFFICER),
    )


def actor_of(session: Session, player: Player) -> Actor:
    """Return the player as they act when signed in."""
    person = session.scalars(select(Person).where(Person.email == player.email)).one()
    unit = _unit(session, player.unit)
    organisation = session.get_one(Organisation, unit.organisation_id)
    return Actor(
        "person",
        id=person.id,
        name=person.name,
        rank_or_role=person.rank_or_role,
        collar_number=person.collar_number,
        organisation_id=organisation.id,
        organisation_code=organisation.code,
        organisation_name=organisation.name,
        organisation_kind=organisation.kind,
        unit_id=unit.id,
        unit_name=unit.name,
        unit_ids=units_below(session, unit.id),
        roles=frozenset({player.role}),
        status=STATUS,
    )


def _unit(session: Session, code: str) -> Unit:
    unit = find_unit(session, code)
    if unit is None:
        raise not_found(f"The unit {code} is not on record: load the reference data first.")
    return unit


def _add_player(session: Session, player: Player, secret: str, now: datetime) -> None:
    if session.scalar(select(Person.id).where(Person.email == player.email)) is not None:
        return
    people.add_person_with_membership(
        session,
        audit.SYSTEM,
        email=player.email,
        name=player.name,
        organisation=player.organisation,
        unit=player.unit,
        role=player.role,
        status=STATUS,
        password=secret,
        now=now,
        rank_or_role=player.rank_or_role,
        collar_number=player.collar_number,
    )


def _add_contact(session: Session, overlay: Overlay, now: datetime) -> None:
    key = f"exercise:{overlay.unit}/{overlay.purpose}/{overlay.channel}"
    if session.scalar(select(ContactPoint.id).where(ContactPoint.reference_key == key)) is not None:
        return
    today = now.astimezone(LONDON).date()
    administrator = actor_of(session, cast.ADMINISTRATOR)
    contact = ContactPoint(
        id=new_id(),
        unit_id=_unit(session, overlay.unit).id,
        reference_key=key,
        purpose=overlay.purpose,
        channel=overlay.channel,
        value=overlay.value,
        audience=overlay.audience,
        hours=overlay.hours,
        bank_holiday_rule=overlay.bank_holiday_rule,
        note=NOTE,
        status=STATUS,
        valid_from=today,
        source=SOURCE,
        source_date=today.isoformat(),
        verification="verified",
        verified_at=now,
        verified_by=administrator.name,
    )
    session.add(contact)
    session.flush()
    audit.record(
        session,
        audit.SYSTEM,
        "directory.exercise-contact-added",
        now=now,
        object_kind="contact-point",
        object_id=contact.id,
    )
    if overlay.channel == "email":
        record_verification(
            session,
            administrator,
            contact.id,
            spoke_to="the duty desk (EXERCISE)",
            number_rung="01632 960099",
            now=now,
        )
