"""What the cases that were joined to one had open: whoever leads that now starts from it (4.10)."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.consultation import Reason
from hub.records.vault import Vault
from messaging import aliases, standing, views
from messaging.pages import meeting_section
from messaging.shown import CaseView


def standing_of(
    session: Session,
    actor: Actor,
    vault: Vault,
    view: CaseView,
    why: Reason,
    now: datetime,
    *,
    automatic: bool,
) -> list[dict[str, Any]]:
    """Return what was last given, and what is to be done, in each case that was joined to this.

    Those of which the reader is no party are left out. That they were read is on record there.
    """
    found = []
    for reference in aliases.of_case(session, view.id):
        try:
            old = views.case_view(
                session, actor, vault, reference, now, reason_code=why.code, reason=why.text,
                automatic=automatic, shows=(),
            )  # fmt: skip
        except HubError as error:
            if error.status != 404:
                raise
            continue
        given = standing.last_given(old) if old.full else []
        actions = meeting_section.shown(session, actor, old, now)["actions"]
        if given or actions:
            found.append({"reference": reference, "given": given, "actions": actions})
    return found
