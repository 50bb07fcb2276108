"""The words in which pages say what the hub knows: times, types, states, receipts.

Codes stay codes in the services and the API; only the pages speak.
"""

from datetime import date, datetime

from babel.dates import format_date, format_datetime
from flask_babel import get_locale, gettext, ngettext
from flask_babel import lazy_gettext as later
from flask_babel.speaklater import LazyString

from hub.clock import LONDON
from messaging.contracts import CONTRACTS


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


BASES: dict[str, LazyString] = {
    "recorded": later("It recorded the report"),
    "accepted": later("It accepted the lead"),
    "agreed-plan": later("It accepted the lead under the agreed joint response plan"),
    "direction": later("An adjudicator directed it"),
    "superseded": later("It succeeded the unit that led"),
}

OFFICER_NOT_KEPT = later("Officer not kept here: see the messages")
"""Of who handed over before the hub kept the officer before."""

STATUSES: dict[str, LazyString] = {
    "actual": later("Actual"),
    "exercise": later("Exercise: it is about no actual child"),
    "test": later("Test: it is about no actual child"),
}

FILE_KINDS: dict[str, LazyString] = {
    "photo": later("Photo of the child"),
    "vital-information-form": later("Vital-information form"),
    "document": later("Document"),
    "image": later("Other picture"),
    "other": later("Something else"),
}

SCANS: dict[str, LazyString] = {
    "clean": later("Scanned: no virus found"),
    "not-scanned": later("Not scanned for viruses"),
}

READERS: dict[str, LazyString] = {
    "police": later("Police only"),
    "statutory": later("Police, responsible and host authority, health"),
    "all-parties": later("All parties"),
    "units": later("Only the units that it is sent to"),
}
"""Whom something is for, of an audience."""

REQUEST_STATES: dict[str, LazyString] = {
    "open": later("Waiting for an answer"),
    "accepted": later("Accepted"),
    "declined": later("Declined"),
    "withdrawn": later("Withdrawn"),
    "directed": later("Ended by a direction"),
    "overtaken": later("Overtaken: the episode has ended"),
}

EPISODE_ENDS: dict[str, LazyString] = {
    "located": later("located"),
    "joined": later("joined to another"),
    "recorded-in-error": later("recorded in error"),
}
"""How an episode ended."""

CLAIM_STATES: dict[str, LazyString] = {
    "open": later("Waiting for the lead"),
    "confirmed": later("Confirmed"),
    "refused": later("Refused"),
    "overtaken": later("Overtaken: the episode has ended"),
}

DISPUTE_STATES: dict[str, LazyString] = {
    "open": later("Waiting for a decision"),
    "withdrawn": later("Withdrawn"),
    "accepted": later("Ended: the lead was accepted"),
    "directed": later("Decided by a direction"),
    "overtaken": later("Overtaken: the episode has ended"),
}

DIRECTION_STATES: dict[str, LazyString] = {
    "open": later("Waiting for its acknowledgement"),
    "acknowledged": later("Acknowledged"),
    "kept": later("It goes on leading"),
    "replaced": later("Replaced by a later direction"),
    "overtaken": later("Overtaken: the episode has ended"),
}

QUESTION_STATES: dict[str, LazyString] = {
    "open": later("Waiting for an answer"),
    "provided": later("Answered"),
    "part": later("Answered in part"),
    "none-held": later("Nothing held"),
    "refused": later("Refused"),
    "overtaken": later("Overtaken: the case has ended"),
}

MEETING_STATES: dict[str, LazyString] = {
    "called": later("called"),
    "cancelled": later("cancelled"),
    "recorded": later("recorded"),
}

ACTION_STATES: dict[str, LazyString] = {
    "open": later("Open"),
    "done": later("Done"),
    "overtaken": later("Overtaken: the case has ended"),
}

PLAN_STATES: dict[str, LazyString] = {
    "proposed": later("Waiting for its answer"),
    "agreed": later("Agreed"),
    "amended": later("Amended: a later version took its place"),
    "declined": later("Declined"),
    "superseded": later("Replaced by a later version that was agreed"),
    "overtaken": later("Overtaken: the placement has ended, or the home police changed"),
}

LANES: dict[str, LazyString] = {
    "episode": later("Missing"),
    "lead": later("Who led"),
    "request": later("Requests, reports and claims"),
    "dispute": later("Disputes and directions"),
    "question": later("Questions"),
    "meeting": later("Strategy meetings"),
    "return": later("Interviews after a return"),
    "step": later("Overdue"),
    "state": later("The case"),
    "message": later("Messages, by number"),
}
"""The lanes of a timeline."""

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
    "prevention-interview": later("Prevention interview"),
    "rhi": later("Return home interview"),
    "supervisor-decision": later("A supervisor’s decision on the report"),
    "dispute-urgent": later("Decision on who leads"),
    "dispute-routine": later("Decision on who leads"),
    "direction": later("Acknowledgement of the direction"),
    "shift-end": later("Handover at shift end"),
    "enquiry-urgent": later("Answer to urgent questions"),
    "enquiry": later("Answer to questions"),
    "meeting-reply": later("Reply to the invitation to a meeting"),
    "meeting-reply-urgent": later("Reply to the invitation to an urgent meeting"),
    "meeting-record": later("Record of the meeting"),
    "meeting-action": later("Action from a meeting"),
    "live-line": later("Securing a live line of enquiry before it expires"),
    "plan-reply": later("Answer to the joint response plan"),
    "plan-review": later("Review of the joint response plan"),
    "match": later("Ringing the other unit that may have the child, and answering"),
    "to-ring-urgent": later("Ringing a unit that is not on the hub about what is urgent"),
    "to-ring": later("Ringing a unit that is not on the hub"),
}
"""What is owed, by kind of clock."""

SETTINGS: dict[str, LazyString] = {
    **CLOCKS,
    "shift-end": later("Handover at shift end, where nobody says when that is (16 hours at most)"),
    "enquiry-urgent": later("Answer to urgent questions, where the asker gives no time"),
    "enquiry": later("Answer to questions, where the asker gives no time"),
    "live-line": later("Securing a live line of enquiry: so long before it expires"),
    "holding-urgent": later("Longest holding reply to an urgent request"),
    "holding-routine": later("Longest holding reply to a routine request"),
}
"""What nation and organisations may decide the minutes of."""

TAKEN_OVER: dict[str, LazyString] = {
    "open_actions": later("Open actions"),
    "live_lines": later("Live lines of enquiry"),
    "warnings": later("Warnings to officers"),
    "family_liaison": later("Family liaison"),
}
"""What whoever leads next takes over."""

RUNGS: dict[str, LazyString] = {
    "repeat": later("asked again"),
    "duty-inspector": later("up to the duty inspector"),
    "control-room": later("up to the force control room"),
    "coordinator": later("up to the force coordinator"),
    "adjudicator": later("up to the adjudicators"),
}
"""What was done at a step up."""

RUNGS_ELSEWHERE: dict[str, LazyString] = {
    "duty-inspector": later("told again"),
    "control-room": later("its whole organisation told"),
    "coordinator": later("its whole organisation told again"),
}
"""The same of a unit that is not police: it has no inspector and no control room."""

LAPSES: dict[str, LazyString] = {
    "placement-ended": later("The placement it was agreed for has ended: it names nobody now."),
    "home-changed": later(
        "Another police unit is the home now, and has not agreed to it: it names nobody now."
    ),
    "review-past": later("Its review date has gone by: it names nobody until it is agreed again."),
}
"""Why an agreed plan is not in force."""

SENDERS: dict[str, LazyString] = {
    "client": later("by its own system"),
    "guest": later("without an account on the hub"),
}
"""How a message was sent that nobody sent who was signed in."""

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


def lateness(working_days: int) -> str:
    """Return whether a placement was told in time, in words."""
    if working_days == 0:
        return _("Told on time")
    return str(
        ngettext(
            "Told late by %(num)s working day", "Told late by %(num)s working days", working_days
        )
    )


def lapse(why: str, begins_on: date) -> str:
    """Return why an agreed plan is not in force, in words."""
    if why == "placement-not-begun":
        return _("In force from %(day)s, when the placement begins.", day=day(begins_on))
    return str(LAPSES[why])


def duration(minutes: int) -> str:
    """Return a number of whole minutes in words: "4 minutes", "1 hour 5 minutes", "2 days 23 hours"."""
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
    days, rest = divmod(hours, 24)
    words = str(ngettext("%(num)s day", "%(num)s days", days))
    if rest:
        words += " " + str(ngettext("%(num)s hour", "%(num)s hours", rest))
    return words


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


def match(unit: str, *, denied: bool) -> str:
    """Return what a line of the inbox says of a case that may be of the same child."""
    if denied:
        return _("%(unit)s has not said that it is another child", unit=unit)
    return _("Another unit may have this child: ring %(unit)s", unit=unit)


def type_name(code: str) -> str:
    """Return what a message of this type is called; a type that there is not shows its code."""
    if code == "match":
        return _("Contested")
    return _(CONTRACTS[code].NAME) if code in CONTRACTS else code


def act_name(code: str) -> str:
    """Return what sending a message of this type is called on a button."""
    return _(CONTRACTS[code].ACT)


def send_label(code: str) -> str:
    """Return what the button says that sends a message of this type."""
    return _(CONTRACTS[code].SEND)


def need(code: str) -> str:
    """Return what a message of this type asks of its reader."""
    asks = CONTRACTS[code].NEED if code in CONTRACTS else ""
    return _(asks or "Answer")


def who_kind(kind: str) -> str:
    """Return what somebody without a name is called."""
    return {"system": _("The hub itself"), "client": _("A partner system")}.get(kind, _("Somebody"))


def size(count: int) -> str:
    """Return how large a file of so many bytes is."""
    if count < 1_000_000:
        return _("%(size)s KB", size=max(1, round(count / 1000)))
    return _("%(size)s MB", size=f"{count / 1_000_000:.1f}")


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
