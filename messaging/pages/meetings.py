"""A meeting's own page, its calendar entry, the button that an action is done, and the figures."""

from uuid import UUID

from flask import Response, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hub.errors import HubError, not_found
from hub.web import context
from hub.web.guards import page, permission
from messaging import meeting_calendar, meeting_mail, meeting_views, sending, views
from messaging.contracts import Command
from messaging.pages import meeting_section
from messaging.pages.blueprint import blueprint
from messaging.pages.case import ask_reason, known_reason
from messaging.pages.reading import rows

READ = permission("inbox.read")


@page(blueprint, "/cases/<reference>/meetings/<uuid:meeting_id>", guard=READ, endpoint="meeting")
def show(reference: str, meeting_id: UUID) -> ResponseReturnValue:
    """Show one meeting, to print: its invitation, who comes, and its record."""
    actor, now = context.current_actor(), context.now()
    with context.database().unit_of_work() as session:
        why = known_reason(session, reference)
        if why is None:
            address = url_for("messaging.meeting", reference=reference, meeting_id=meeting_id)
            return ask_reason(reference, address, {})
        one = meeting_views.one(session, actor, reference, meeting_id, now)
        view = views.case_view(
            session, actor, context.vault(), reference, now,
            reason_code=why.code, reason=why.text,
            shows=[number for number in (one.message_number, one.record_number) if number],
        )  # fmt: skip
        g.page_status = view.status
        numbers = {one.message_number: _("Invitation"), one.record_number: _("Record")}
        said = [
            {"name": numbers[message.number], "fields": rows(message.type, message.body)}
            for message in view.messages
            if message.number in numbers
        ]
        return render_template(
            "messaging/meeting.html",
            m=meeting_section.meeting(session, actor, view, one, now),
            said=said, ref=view.reference, status=view.status, now=now,
        )  # fmt: skip


@page(
    blueprint,
    "/cases/<reference>/meetings/<uuid:meeting_id>/meeting.ics",
    guard=READ,
    endpoint="meeting_calendar",
)
def calendar(reference: str, meeting_id: UUID) -> ResponseReturnValue:
    """Give the calendar entry to a unit that is asked: reference, time and link."""
    return calendar_file(reference, meeting_id)


def calendar_file(reference: str, meeting_id: UUID) -> Response:
    """Return a meeting's calendar entry as a file, for the reader's own unit.

    Raises:
        HubError: `not-found` to strangers, and to units that are not asked.
    """
    actor, now = context.current_actor(), context.now()
    with context.database().unit_of_work() as session:
        meeting_views.one(session, actor, reference, meeting_id, now)
        attendee = meeting_mail.attendee_of(session, meeting_id, actor.unit_ids)
        found = attendee and meeting_mail.entry(session, context.runtime().settings, attendee, now)
        if not found:
            raise not_found()
        entry, _message = found
    return Response(
        meeting_calendar.calendar(entry),
        mimetype="text/calendar",
        headers={"Content-Disposition": f'attachment; filename="{entry.reference}-meeting.ics"'},
    )


@page(
    blueprint,
    "/cases/<reference>/actions/<uuid:action_id>/done",
    guard=READ,
    methods=("POST",),
    endpoint="action_done",
)
def done(reference: str, action_id: UUID) -> ResponseReturnValue:
    """Say in one click that an action of my unit is done."""
    actor, now = context.current_actor(), context.now()
    command = Command(
        type="update",
        body={"heading": "action", "text": "Done.", "action_done": str(action_id)},
    )
    try:
        with context.database().unit_of_work() as session:
            sending.send(session, actor, context.vault(), reference, command, now)
        flash(_("The action is done, and off the clock."))
    except HubError as error:
        if error.code != "action-done":
            raise
        flash(_("The action was done already."))
    return redirect(url_for("messaging.case", reference=reference), 303)


@page(blueprint, "/meetings/empty-chairs", guard=permission("meeting.figures"), endpoint="figures")
def figures() -> ResponseReturnValue:
    """Show which units refused meetings or left their chairs empty in the last 90 days."""
    actor, now = context.current_actor(), context.now()
    with context.database().unit_of_work() as session:
        found = meeting_views.figures_for(session, actor, now)
    return render_template(
        "messaging/empty_chairs.html",
        rows=found,
        since=now - meeting_views.FIGURES_OF,
        now=now,
        exercise=actor.status not in (None, "actual"),
        whole="adjudicator" in actor.roles,
    )
