"""What an administrator decides: how long clocks run, and who authorises an acceptance."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.errors import HubError
from hub.identity.policy import allows
from hub.web import context
from hub.web.guards import page, permission
from messaging import lead_settings, wording
from messaging.pages.blueprint import blueprint

DECIDES = permission("lead.decide-own")
CLOCK = "clock-"


@page(blueprint, "/settings/clocks", guard=DECIDES, endpoint="settings")
def show() -> ResponseReturnValue:
    """Show every clock with its minutes, and what the organisation asks of an acceptance."""
    return _page({}, {})


@page(blueprint, "/settings/clocks", guard=DECIDES, methods=("POST",), endpoint="settings_decide")
def decide() -> ResponseReturnValue:
    """Keep what was decided, with why; what runs already runs on."""
    typed = {name: value for name, value in request.form.items() if name.startswith(CLOCK)}
    problems = {
        name: _("Give whole minutes, or nothing")
        for name, value in typed.items()
        if value.strip() and not value.strip().isdecimal()
    }
    if problems:
        return _page(request.form, problems, 422)
    try:
        with context.database().unit_of_work() as session:
            changed = lead_settings.decide(
                session,
                context.current_actor(),
                context.vault(),
                {
                    name.removeprefix(CLOCK): int(value) if value.strip() else None
                    for name, value in typed.items()
                },
                supervisor_authorises=request.form.get("supervisor") == "yes",
                national=_national(),
                why=request.form.get("why", ""),
                now=context.now(),
            )
    except HubError as error:
        if error.status != 422:
            raise
        found = {one.pointer.lstrip("/").replace("clocks/", CLOCK): one.sentence
                 for one in error.fields}  # fmt: skip
        return _page(request.form, found, 422)
    flash(_("Saved.") if changed else _("Nothing was changed."))
    return redirect(url_for("messaging.settings", nation="yes" if _national() else None), 303)


def _national() -> bool:
    """Say whether the page is of the nation's clocks: for those who may decide them."""
    wanted = request.values.get("nation") == "yes"
    return wanted and allows(context.current_actor(), "lead.decide-any")


def _page(
    typed: Mapping[str, str], problems: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    actor, national = context.current_actor(), _national()
    with context.database().unit_of_work() as session:
        choices = lead_settings.clock_choices(session, None if national else actor.organisation_id)
        asks = lead_settings.asks_supervisor(session, actor.organisation_id)
    rows = [
        {
            "id": CLOCK + one.kind,
            "kind": one.kind,
            "name": wording.SETTINGS[one.kind],
            "before": one.default if national else one.nation or one.default,
            "value": typed.get(CLOCK + one.kind, (one.nation if national else one.own) or ""),
        }
        for one in choices
    ]
    html = render_template(
        "messaging/settings.html",
        rows=rows,
        asks=typed.get("supervisor") == "yes" if typed else asks,
        national=national,
        may_national=allows(actor, "lead.decide-any"),
        organisation=actor.organisation_name,
        why=typed.get("why", ""),
        problems=problems,
    )
    return html, status
