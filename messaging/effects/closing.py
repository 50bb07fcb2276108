"""The end of a case."""

from typing import Any

from sqlalchemy import update

from hub.errors import conflict
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.steps import end_clocks, meet, settle, step
from messaging.model import Case, InformationRequest
from messaging.sending import Act, everyone


def closure(act: Act) -> None:
    """Close the case, which is refused while an episode is open."""
    if act.case.episode is not None:
        raise conflict("episode-open", "The case cannot be closed while an episode is open.")
    report = act.case.report
    if report is not None:
        if report.state == "awaiting-police" and report.reporter != act.unit:
            raise conflict("report-open", "A report waits for police: record it, or say why not.")
        if report.state != "not-accepted":
            state = step(report, "returned")
            act.later(lambda: settle(act, report, state))
        meet(act, None, "report-outcome")
    act.to |= everyone(act)
    act.later(
        lambda: act.session.execute(
            update(Case).where(Case.id == act.case.id).values(closed_at=act.at)
        )
    )
    act.later(lambda: end_clocks(act))
    act.later(
        lambda: act.session.execute(
            update(InformationRequest)
            .where(
                InformationRequest.case_id == act.case.id, InformationRequest.state == "open"
            )
            .values(
                state="overtaken", answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip


def choices(now: Choosing) -> Choices:
    """The case can end between episodes."""
    if now.case.episode is None and now.may("closure"):
        yield Action("closure")


def known_closure(known: Knowing) -> dict[str, Any]:
    """Name the reader as who authorises it."""
    return {"authorised_by": known.actor.name}
