"""What a case owes after a return, and how it went on: as its page and the closing form say it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from sqlalchemy.orm import Session

from directory.public import Number
from hub.identity.actor import Actor
from hub.organisations import find_unit
from messaging import aliases, owing, references, state, views, wording
from messaging.choices import Action
from messaging.effects.closing import episode_line, owed_elsewhere, sees_joined
from messaging.owing import Step
from messaging.pages import ringing
from messaging.shown import CaseView, MessageView

Shown = dict[str, Any]
UKMPU = "nca/ukmpu"
EMERGENCY = "999"

STATES = {
    "owed": later("Owed"),
    "recorded": later("Done, and on record"),
    "not-done": later("Not done: the reason is on record"),
}
COLOURS = {"owed": "yellow", "recorded": "green", "not-done": "grey"}
CHANGES = {
    "closure": later("Case closed"),
    "reopen": later("Case opened again"),
    "recorded-in-error": later("Episode ended: it was recorded in error"),
    "located": later("Child located"),
    "located-confirm": later("Child located: confirmed"),
}


def steps(session: Session, actor: Actor, view: CaseView, now: datetime) -> list[Shown]:
    """Return the statutory steps of a case, each with what settles it and whom to ring."""
    names = {unit: one.name for unit, one in view.names.items()}
    return [
        _step(session, actor, view.reference, view.status, step, names, view.actions, now)
        for step in view.matters.owed
    ]


def before_closing(
    session: Session, actor: Actor, reference: str, now: datetime
) -> tuple[list[Shown], str, list[str]]:
    """Return what a case still owes before it closes, and what the hub will write of its episodes.

    Between them is what a reader of part of it is told instead of what is owed in joined cases.
    """
    case = state.load(session, actor, references.clean(reference), now, lock=False)
    incidents = owing.incidents(session, case.id)
    names = {unit: party.name for unit, party in case.parties.items()}
    actions = views.actions(session, case, actor)
    open_ = [
        _step(session, actor, case.reference, case.status, step, names, actions, now)
        for step in owing.outstanding(incidents)
    ]
    elsewhere = ""
    for case_id, reference in aliases.joined_to(session, case.id).items():
        owed = owing.outstanding(owing.of_joined(session, case_id))
        if not sees_joined(case, actor):
            elsewhere = owed_elsewhere(case) if owed else elsewhere
            continue
        actions = views.actions(session, state.load_other(session, reference, now), actor)
        open_ += [
            _step(session, actor, reference, case.status, step, names, actions, now)
            for step in owed
        ]
    return open_, elsewhere, [episode_line(one) for one in incidents]


def _step(
    session: Session,
    actor: Actor,
    reference: str,
    status: str,
    step: Step,
    names: dict[UUID, str],
    actions: Sequence[Action],
    now: datetime,
) -> Shown:
    ukmpu = step.kind == "ukmpu"
    address = None
    for act in actions:
        if act.type == "interview-record" and act.interview == step.interview:
            if act.in_reply_to == (step.record or step.asked_by):
                address = url_for(
                    "messaging.compose", reference=reference, message_type=act.type,
                    re=act.in_reply_to, interview=act.interview,
                )  # fmt: skip
        elif act.type == "update" and ukmpu and actor.police and step.state == "owed":
            address = url_for(
                "messaging.compose", reference=reference, message_type="update",
                heading="ukmpu-told",
            )  # fmt: skip
    unnamed = step.kind == "rhi" and step.state == "owed" and not step.of_authority
    names_it = any(act.type == "authority-named" for act in actions)
    return {
        "what": wording.CLOCKS[step.kind],
        "episode": step.episode,
        "owed_by": names.get(step.owed_by, ""),
        "state": STATES[step.state],
        "colour": COLOURS[step.state],
        "due_at": step.due_at if step.state == "owed" else None,
        "ukmpu": ukmpu and step.state == "owed",
        "unnamed": unnamed,
        "name_address": url_for(
            "messaging.compose", reference=reference, message_type="authority-named"
        )
        if unnamed and names_it
        else None,
        "address": address,
        "label": _label(step),
        "primary": step.state == "owed" and not ukmpu,
        "numbers": _numbers(session, actor, status, step, now) if step.state == "owed" else [],
    }


def _numbers(
    session: Session, actor: Actor, status: str, step: Step, now: datetime
) -> list[Number]:
    """Return whom to ring about a step: who owes it, or the UK Missing Persons Unit that is told.

    999 is the end of every ladder and no number of that unit's, which answers for no emergency.
    """
    if step.kind != "ukmpu":
        mine = step.owed_by in actor.unit_ids
        return [] if mine else ringing.numbers(step.owed_by, "open-case", now, actor, status)
    unit = find_unit(session, UKMPU)
    found = ringing.numbers(unit.id, "open-case", now, actor, status) if unit else []
    return [one for one in found if one.value != EMERGENCY]


def _label(step: Step) -> str:
    if step.kind == "ukmpu":
        return _("Say that the UK Missing Persons Unit was told")
    if step.state != "owed":
        return (
            _("Correct the record of the return home interview")
            if step.kind == "rhi"
            else _("Correct the record of the prevention interview")
        )
    if step.kind == "rhi":
        return _("Record the return home interview, or why not")
    return _("Record the prevention interview, or why not")


def changes(view: CaseView) -> list[Shown]:
    """Return how episodes ended, and when the case was closed and opened again, first to last."""
    return [
        {
            "number": one.number,
            "what": CHANGES[one.type],
            "at": one.sent_at,
            "who": ", ".join(part for part in (one.sender_name, one.sender_unit.name) if part),
        }
        for one in view.messages
        if one.type in CHANGES and not (one.type == "located" and _claimed(one, view.messages))
    ]


def _claimed(message: MessageView, messages: Sequence[MessageView]) -> bool:
    """Say whether a message that the child was seen is but a claim: it asks for its answer."""
    return message.reply_due_at is not None or any(
        one.in_reply_to == message.id and one.type.startswith("located-") for one in messages
    )


def ending(view: CaseView) -> str:
    """Return how the last episode ended, where none is open."""
    if view.lead is not None or not view.matters.incidents:
        return ""
    last = view.matters.incidents[-1]
    if last.found_dead:
        return _("The child was found dead. The episode ended")
    if last.end_reason == "recorded-in-error":
        return _("The last episode was recorded in error. It ended")
    return ""


def also_wanted(view: CaseView) -> bool:
    """Say whether the child is wanted too, as last told to a reader who may know it."""
    told = [m.body["also_wanted"] for m in view.messages if "also_wanted" in m.body]
    return bool(told and told[-1])
