"""What the pages that open a case do alike: they keep drafts, and open it once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from hub.errors import not_found
from hub.identity.actor import Actor
from hub.records import consultation
from hub.web import context
from messaging import by_reference, drafts, sending, views
from messaging.contracts import Command
from messaging.pages import attaching
from messaging.pages.attaching import Attaching
from messaging.pages.forms import MessageForm
from messaging.pages.once import FIELD, once

OPENED_IT = "opened-it"


def carried(names: Sequence[str]) -> dict[str, str]:
    """Return what the form carries unseen from one showing to the next.

    Raises:
        HubError: `not-found` where the draft's name is none.
    """
    found = {n: request.values[n][:200] for n in names if request.values.get(n, "").strip()}
    try:
        UUID(found.get("draft", str(UUID(int=0))))
    except ValueError:
        raise not_found() from None
    return found


def take_up(session: Session, actor: Actor, form: MessageForm, known: dict[str, str]) -> list[str]:
    """Fill the form in with the draft that is carried, if any, and return the files that it names.

    Raises:
        HubError: `not-found` when the draft is not theirs.
    """
    if "draft" not in known:
        return []
    kept = drafts.load(session, actor, context.vault(), UUID(known["draft"]))
    form.values = {name: values[0] for name, values in kept.items() if values}
    return kept.get(attaching.FILES, [])


def keep(actor: Actor, message_type: str, known: dict[str, str], files: Attaching) -> str:
    """Keep what was typed and attached as a draft, and return its id."""
    fields = {
        name: values
        for name, values in request.form.to_dict(flat=False).items()
        if name not in ("csrf_token", "do", "draft", "more_rows", attaching.DROP, FIELD)
    } | {attaching.FILES: files.ids}
    draft = UUID(known["draft"]) if "draft" in known else None
    with context.database().unit_of_work() as session:
        kept = drafts.save(
            session,
            actor,
            context.vault(),
            message_type=message_type,
            fields=fields,
            now=context.now(),
            draft_id=draft if draft and drafts.mine(session, actor, draft) else None,
        )
    return str(kept)


def open_once(actor: Actor, command: Command, known: dict[str, str]) -> str:
    """Open the case once, throw the draft away, and return the case's reference.

    Raises:
        HubError: as sending does.
    """
    vault, now = context.vault(), context.now()
    recorded = by_reference.on_record(context.database(), actor, now)
    with recorded, context.database().unit_of_work() as session:

        def effect() -> dict[str, Any]:
            sent = sending.open_case(session, actor, vault, command, now)
            if "draft" in known:
                drafts.discard(session, actor, vault, UUID(known["draft"]), now)
            _remember(session, actor, sent.case_reference)
            return {"reference": sent.case_reference}

        if actor.id is None:
            raise not_found()
        done = once(session, actor.id, now, effect)
    return str(done["reference"])


def _remember(session: Session, actor: Actor, reference: str) -> None:
    """Keep for this session why the sender looks at the case: they opened it."""
    if actor.session_id is None:
        return
    case_id = views.case_id(session, actor, reference, context.now())
    consultation.remember_reason(
        session, context.vault(), actor.session_id, case_id, OPENED_IT, now=context.now()
    )
