"""The words in which pages say what the hub knows: times, types, states, receipts.

Codes stay codes in the services and the API; only the pages speak.
"""

from datetime import date, datetime

from babel.dates import format_date, format_datetime
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as later
from flask_babel.speaklater import LazyString

from hub.clock import LONDON


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


TYPES: dict[str, LazyString] = {
    "missing-episode-report": later("Report of a missing child"),
    "report-not-accepted": later("Report not accepted"),
    "telephone-record": later("Telephone call on record"),
    "lead-transfer-request": later("Offer of the lead"),
    "lead-transfer-accept": later("Lead accepted"),
    "lead-transfer-decline": later("Lead declined"),
    "lead-transfer-withdraw": later("Offer of the lead withdrawn"),
    "holding-reply": later("Holding reply"),
    "dispute": later("Dispute over who leads"),
    "dispute-withdraw": later("Dispute withdrawn"),
    "direction": later("Direction by an adjudicator"),
    "direction-acknowledge": later("Direction acknowledged"),
    "officer-handover": later("Handover between officers"),
    "information-request": later("Questions or enquiries"),
    "information-response": later("Answer to questions"),
    "update": later("Update"),
    "located": later("Child located"),
    "located-confirm": later("Located: confirmed"),
    "located-refuse": later("Located: refused"),
    "closure": later("Case closed"),
}

ACTS: dict[str, LazyString] = {
    "missing-episode-report": later("Record the report"),
    "report-not-accepted": later("Do not accept the report"),
    "telephone-record": later("Record a telephone call"),
    "lead-transfer-request": later("Offer the lead to another unit"),
    "lead-transfer-accept": later("Accept the lead"),
    "lead-transfer-decline": later("Decline the lead"),
    "lead-transfer-withdraw": later("Withdraw the offer"),
    "holding-reply": later("Say by when you decide"),
    "dispute": later("Dispute who leads"),
    "dispute-withdraw": later("Withdraw the dispute"),
    "direction": later("Direct who leads"),
    "direction-acknowledge": later("Acknowledge the direction: the lead moves"),
    "officer-handover": later("Hand over to another officer"),
    "information-request": later("Ask another unit"),
    "information-response": later("Answer the questions"),
    "update": later("Send an update"),
    "located": later("Say that the child is located"),
    "located-confirm": later("Confirm that the child is located"),
    "located-refuse": later("Refuse: the child is not located"),
    "closure": later("Close the case"),
}

BASES: dict[str, LazyString] = {
    "recorded": later("It recorded the report"),
    "accepted": later("It accepted the lead"),
    "agreed-plan": later("It accepted the lead under the agreed joint response plan"),
    "direction": later("An adjudicator directed it"),
    "superseded": later("It succeeded the unit that led"),
}

REQUEST_STATES: dict[str, LazyString] = {
    "open": later("Waiting for an answer"),
    "accepted": later("Accepted"),
    "declined": later("Declined"),
    "withdrawn": later("Withdrawn"),
    "directed": later("Ended by a direction"),
    "overtaken": later("Overtaken: the episode has ended"),
}

REPORT_STATES: dict[str, LazyString] = {
    "awaiting-police": later("Awaiting police"),
    "recorded": later("Recorded by police"),
    "recorded-by-telephone": later("Taken by telephone, not confirmed on the hub"),
    "not-accepted": later("Not accepted by police"),
    "returned-before-recorded": later("Returned before police recorded it"),
}

REPORT_SENTENCES: dict[str, LazyString] = {
    "awaiting-police": later("The police do not have this until someone answers: ring."),
    "recorded": later("Police have recorded the report and lead the investigation."),
    "recorded-by-telephone": later(
        "Police took the report by telephone. It is not confirmed on the hub, and no lead is on"
        " record here."
    ),
    "not-accepted": later(
        "Police have not accepted this report. Nobody leads. Ring if anything changes."
    ),
    "returned-before-recorded": later("The child came back before police recorded the report."),
}

RECEIPTS: dict[str, LazyString] = {
    "delivered": later("Delivered"),
    "opened": later("Opened"),
    "acknowledged": later("Acknowledged"),
    "told-by-telephone": later("Told by telephone"),
    "answered": later("Answered"),
}

SEND_LABELS: dict[str, LazyString] = {
    "missing-episode-report": later("Record it: my unit leads"),
    "report-not-accepted": later("Send to the reporter"),
    "telephone-record": later("Put the call on record"),
    "lead-transfer-request": later("Offer the lead"),
    "lead-transfer-accept": later("Accept the lead now"),
    "lead-transfer-decline": later("Decline the lead"),
    "lead-transfer-withdraw": later("Withdraw the offer"),
    "holding-reply": later("Send the holding reply"),
    "dispute": later("Send the dispute"),
    "dispute-withdraw": later("Withdraw the dispute"),
    "direction": later("Direct it"),
    "direction-acknowledge": later("Acknowledge: the lead moves now"),
    "officer-handover": later("Hand over"),
    "information-request": later("Ask"),
    "information-response": later("Send the answer"),
    "located-confirm": later("Confirm: the child is located"),
    "located-refuse": later("Refuse: the child stays missing"),
    "closure": later("Close the case"),
}

NEEDS: dict[str, LazyString] = {
    "lead-transfer-request": later("Accept or decline the lead"),
    "missing-episode-report": later("Record the report, or say why not"),
    "located": later("Confirm or refuse"),
    "dispute": later("Decide who leads"),
    "direction": later("Acknowledge the direction"),
    "information-request": later("Answer the questions"),
    "report-not-accepted": later("Read what police say"),
}

CLOCKS: dict[str, LazyString] = {
    "report-outcome": later("What police do with the report"),
    "lead-urgent": later("Answer to the offer of the lead"),
    "lead-routine": later("Answer to the offer of the lead"),
    "located-answer": later("Answer to the claim that the child is located"),
    "opened-urgent": later("Opening an urgent message"),
    "opened-request": later("Opening a message"),
    "opened": later("Opening a message"),
    "review-high": later("Supervisor’s review"),
    "review-medium": later("Supervisor’s review"),
    "review-low": later("Supervisor’s review"),
    "ukmpu": later("Telling the UK Missing Persons Unit"),
    "dispute-urgent": later("Decision on who leads"),
    "dispute-routine": later("Decision on who leads"),
    "direction": later("Acknowledgement of the direction"),
    "shift-end": later("Handover at shift end"),
    "enquiry-urgent": later("Answer to urgent questions"),
    "enquiry": later("Answer to questions"),
}
"""What is owed, by kind of clock."""

RUNGS: dict[str, LazyString] = {
    "repeat": later("asked again"),
    "duty-inspector": later("duty inspector told"),
    "control-room": later("force control room told"),
    "coordinator": later("force coordinator told"),
    "adjudicator": later("national adjudicators told"),
}
"""What was done at a step up."""

RUNGS_ELSEWHERE: dict[str, LazyString] = {
    "duty-inspector": later("told again"),
    "control-room": later("its whole organisation told"),
    "coordinator": later("its whole organisation told again"),
}
"""The same of a unit that is not police: it has no inspector and no control room."""

REACHES: dict[str, LazyString] = {
    "staffed": later("on the hub"),
    "connected": later("on the hub through its own system"),
    "not-on-hub": later("not on the hub"),
}


def moment(at: datetime) -> str:
    """Return a time as London's clocks show it, with the zone: "24 November 2026, 03:04 GMT"."""
    local = at.astimezone(LONDON)
    return f"{format_datetime(local, 'd MMMM y, HH:mm', locale=_locale())} {local.tzname()}"


def day(on: date) -> str:
    """Return a date: "27 March 2012"."""
    return str(format_date(on, "d MMMM y", locale=_locale()))


def short_moment(at: datetime, now: datetime) -> str:
    """Return a time without its date where that is today's in London: "03:04"."""
    local = at.astimezone(LONDON)
    if local.date() == now.astimezone(LONDON).date():
        return local.strftime("%H:%M")
    return format_datetime(local, "d MMM, HH:mm", locale=_locale())


def duration(minutes: int) -> str:
    """Return a number of whole minutes in words: "4 minutes", "1 hour 5 minutes", "3 days"."""
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return str(ngettext("%(num)s minute", "%(num)s minutes", minutes))
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        words = str(ngettext("%(num)s hour", "%(num)s hours", hours))
        if rest:
            words += " " + str(ngettext("%(num)s minute", "%(num)s minutes", rest))
        return words
    return str(ngettext("%(num)s day", "%(num)s days", hours // 24))


def time_left(due: datetime, now: datetime) -> str:
    """Return how long is left, or how long something is overdue, in words."""
    seconds = (due - now).total_seconds()
    if seconds >= 0:
        return _("%(duration)s left", duration=duration(int(seconds // 60)))
    return _("overdue by %(duration)s", duration=duration(int(-seconds // 60)))


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago something was: "4 minutes ago"."""
    return _("%(duration)s ago", duration=duration(int((now - at).total_seconds() // 60)))


def moment_of_text(text: str) -> str:
    """Return a time given as ISO 8601 text as `moment` does; nothing where it is no time."""
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return ""


def rung(code: str, *, police: bool) -> str:
    """Return what was done at a step up, of a unit that is police or not."""
    return str(RUNGS[code] if police else RUNGS_ELSEWHERE.get(code, RUNGS[code]))


def type_name(code: str) -> str:
    """Return what a message of this type is called; a later type shows its own name."""
    return str(TYPES.get(code, code))


def act_name(code: str) -> str:
    """Return what sending a message of this type is called on a button."""
    return str(ACTS.get(code, code))


def send_label(code: str) -> str:
    """Return what the button says that sends a message of this type."""
    return str(SEND_LABELS.get(code, _("Send")))


def who_kind(kind: str) -> str:
    """Return what somebody without a name is called."""
    return {"system": _("The hub itself"), "client": _("A partner system")}.get(kind, _("Somebody"))


def look(action: str) -> str:
    """Return what a look on record was."""
    return {
        "consultation": _("read"),
        "disclosure": _("received"),
        "opened": _("opened"),
    }.get(action, action)


def _locale() -> str:
    locale = get_locale()
    return str(locale) if locale is not None and str(locale) != "en" else "en_GB"
