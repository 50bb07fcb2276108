"""What to say on the telephone to a unit that is not on the hub, in the order to say it.

Pure: it knows no database and no clock. The words follow DOMAIN.md 4.5: a call tells a unit, and
moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext

PHONETIC = {
    "A": "Alfa", "B": "Bravo", "C": "Charlie", "D": "Delta", "E": "Echo", "F": "Foxtrot",
    "G": "Golf", "H": "Hotel", "I": "India", "J": "Juliett", "K": "Kilo", "L": "Lima",
    "M": "Mike", "N": "November", "O": "Oscar", "P": "Papa", "Q": "Quebec", "R": "Romeo",
    "S": "Sierra", "T": "Tango", "U": "Uniform", "V": "Victor", "W": "Whiskey", "X": "X-ray",
    "Y": "Yankee", "Z": "Zulu", "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four",
    "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
}  # fmt: skip


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


@dataclass(frozen=True)
class Caller:
    """Who rings: as they name themselves at the start of the call."""

    name: str
    unit: str
    rank: str = ""
    collar_number: str = ""
    callback: str = ""


@dataclass(frozen=True)
class Call:
    """One call to make: about which message, to which unit, with what to read out.

    `details` are the fields that the unit rung may hear, as (label, value), in order.
    `minutes` is how long the unit will have to answer, counted from the recorded call. `unopened` is
    whether it is in their inbox, where nobody has opened it.
    """

    reference: str
    message_type: str
    unit: str
    caller: Caller
    urgent: bool = False
    exercise: bool = False
    minutes: int | None = None
    unopened: bool = False
    details: Sequence[tuple[str, str]] = field(default=())


@dataclass(frozen=True)
class Line:
    """One line of the script: `do` it, `say` it, or `ask` it and write the answer down."""

    kind: str
    text: str


def spell(reference: str) -> str:
    """Return a reference as it is read out: each sign by its name, a dash as a pause."""
    groups = [
        " ".join(PHONETIC.get(sign, sign) for sign in group)
        for group in reference.upper().split("-")
    ]
    return ", ".join(groups)


def script(call: Call) -> tuple[Line, ...]:
    """Return the whole script of a call, in the order of the call."""
    return (*_opening(call), *_matter(call), *_closing(call))


def _opening(call: Call) -> list[Line]:
    caller = call.caller
    name = " ".join(part for part in (caller.rank, caller.name) if part)
    lines = [
        Line("do", _("Ring the number on this page, and ask for %(unit)s.", unit=call.unit)),
        Line(
            "ask",
            _("May I have your name, your rank or role, and your collar or staff number?"),
        ),
    ]
    if call.exercise:
        lines.append(Line("say", _("This is an exercise. No real child is missing.")))
    lines.append(
        Line(
            "say",
            _("This is %(name)s of %(unit)s.", name=name, unit=caller.unit)
            if not caller.collar_number
            else _(
                "This is %(name)s, %(collar)s, of %(unit)s.",
                name=name,
                collar=caller.collar_number,
                unit=caller.unit,
            ),
        )
    )
    lines.append(
        Line(
            "say",
            _(
                "Our reference is %(reference)s: %(spelt)s.",
                reference=call.reference,
                spelt=spell(call.reference),
            ),
        )
    )
    return lines


def _matter(call: Call) -> list[Line]:
    lines = [Line("say", _purpose(call))]
    if call.urgent:
        lines.append(
            Line(
                "say",
                _(
                    "This is urgent: we need your answer within %(minutes)s minutes.",
                    minutes=call.minutes,
                )
                if call.minutes
                else _("This is urgent."),
            )
        )
    lines.extend(
        Line("say", _("%(label)s: %(value)s", label=label, value=value))
        for label, value in call.details
        if value
    )
    return lines


def _purpose(call: Call) -> str:
    match call.message_type:
        case "lead-transfer-request":
            return _("A child is missing. We lead the investigation, and ask you to take the lead.")
        case "direction":
            return _("An adjudicator directs that your unit leads in the case of a missing child.")
        case "information-request":
            return _("A child is missing. We ask you to answer questions, or to make enquiries.")
        case "missing-episode-report":
            return _("I am reporting a child missing, and ask you to record it.")
        case "located":
            return _("A missing child has been seen. I ask you to confirm that they are located.")
        case "strategy-meeting-invitation":
            return _("We ask you to name somebody for a strategy meeting about a missing child.")
        case "strategy-meeting-record":
            return _("A strategy meeting has given your unit something to do.")
        case "placement-notification":
            return _("I am telling you of a child in care who is placed away from home.")
        case "joint-response-plan":
            return _("We propose what both sides do if a child placed away from home goes missing.")
        case "plan-reply":
            return _("I have our answer to the joint response plan for a child in your area.")
        case "lead-transfer-withdraw":
            return _("We withdraw our request that you take the lead. You need do nothing more.")
        case _:
            return _("I have information for you about a missing child.")


def _closing(call: Call) -> list[Line]:
    lines: list[Line] = []
    if call.unopened:
        lines.append(
            Line(
                "ask",
                _(
                    "It is in your inbox on the Missing Children Hub, and nobody has opened it."
                    " Will you open it now?"
                ),
            )
        )
    if call.message_type == "lead-transfer-request":
        lines += [
            Line(
                "say",
                _(
                    "We go on leading until your answer is on record. This call does not move the"
                    " lead. Answer by the link that we can mail to your team's mailbox, or by a"
                    " signed reply."
                ),
            ),
            Line("ask", _("Will you take the lead? If not, why not, and who should?")),
        ]
    elif call.message_type == "direction":
        lines += [
            Line(
                "say",
                _(
                    "The unit that leads now goes on leading until I have put on record whom I have"
                    " told. Then your unit leads."
                ),
            ),
            Line("ask", _("Which officer leads from now on: name, rank and collar number?")),
        ]
    elif call.message_type == "information-request":
        lines += [
            Line(
                "say",
                _(
                    "Who leads is no reason to wait. Your answer counts by the link that we can mail"
                    " to your team's mailbox, or by a signed reply."
                ),
            ),
            Line("ask", _("Will you do it, and by when? If not, why not?")),
        ]
    elif call.message_type == "strategy-meeting-invitation":
        lines.append(Line("ask", _("Who comes: name, rank or role, and how we reach them?")))
    elif call.message_type == "joint-response-plan":
        lines.append(Line("ask", _("Do you agree? If not, why not, and what would you change?")))
    elif call.message_type == "missing-episode-report":
        lines.append(
            Line(
                "ask",
                _("Have you taken the report? What is the incident number? If you refuse, why?"),
            )
        )
    lines.append(Line("ask", _("What is your own reference for this?")))
    if call.caller.callback:
        lines.append(
            Line("say", _("Ring me back on %(number)s.", number=call.caller.callback)),
        )
    lines.append(
        Line(
            "do",
            _("Record the call on this page at once: when, with whom, and what they said."),
        )
    )
    return lines
