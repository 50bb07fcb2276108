"""The exercise of an organisation: what it holds, its reset, and the resets on record."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from hub.errors import HubError
from hub.identity import policy
from hub.web import context
from hub.web.guards import page, permission
from messaging import resetting
from messaging.pages.blueprint import blueprint


@page(blueprint, "/exercise", guard=permission("case.list"))
def exercise() -> ResponseReturnValue:
    """Show what a reset would put out of sight, and what was reset before."""
    return _page()


@page(
    blueprint, "/exercise", guard=permission("exercise.reset"), methods=("POST",),
    endpoint="exercise_reset",
)  # fmt: skip
def reset() -> ResponseReturnValue:
    """Reset the exercise, and say how many cases that were."""
    try:
        with context.database().unit_of_work() as session:
            count = resetting.reset(
                session,
                context.current_actor(),
                context.vault(),
                request.form.getlist("seen"),
                request.form.get("why", ""),
                context.now(),
            )
    except HubError as error:
        if error.code not in ("why", "exercise-moved"):
            raise
        problem = _("Say why: it stays on record.") if error.code == "why" else _(
            "Cases were opened or joined since you looked: look at the list again."
        )  # fmt: skip
        return _page({"why" if error.code == "why" else "cases": problem}, error.status)
    flash(
        ngettext(
            "The exercise is reset: %(num)s case is out of sight.",
            "The exercise is reset: %(num)s cases are out of sight.",
            count,
        )
        if count
        else _("There was nothing to reset.")
    )
    return redirect(url_for("messaging.exercise"), 303)


def _page(problems: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    actor = context.current_actor()
    resets = policy.allows(actor, "exercise.reset") and actor.status == resetting.EXERCISE
    with context.database().unit_of_work() as session:
        found = resetting.preview(session, actor) if resets else []
        earlier = resetting.resets(session, actor)
    html = render_template(
        "messaging/exercise.html",
        cases=found,
        others=sorted({name for case in found for name in case.others}),
        earlier=earlier,
        may=policy.allows(actor, "exercise.reset"),
        resets=resets,
        organisation=actor.organisation_name,
        why=request.form.get("why", ""),
        problems=problems or {},
    )
    return html, status
