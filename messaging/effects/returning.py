"""The interviews that a return is owed, and which authority is responsible (DOMAIN.md 4.2, 6 to 8)."""

from dataclasses import replace
from functools import partial
from typing import Any, cast
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from hub.clock import LONDON
from hub.errors import conflict, invalid
from hub.identity.reach import reach
from messaging import aliases, contracts, owing, returning
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.effects.ending import responsible
from messaging.effects.placing import HOST
from messaging.effects.planning import PLACING
from messaging.effects.steps import authorities, meet, send_on, tell
from messaging.model import Clock, Interview
from messaging.owing import Step
from messaging.sending import unit_named
from messaging.state import ADJUDICATOR, CaseState, OpenReport, PartyUnit


def interview_record(act: Act) -> None:
    """Put an interview on record, or why it was not done: its clock is met by either (6)."""
    body = cast(contracts.InterviewRecord, act.body)
    if body.completed_on and body.completed_on > act.at.astimezone(LONDON).date():
        raise invalid(
            "in-future", "This cannot be later than today: until then it is owed.",
            "/body/completed_on",
        )  # fmt: skip
    steps = owing.interviews(owing.incidents(act.session, act.case.id))
    step = _meant(act, body.interview, steps)
    _by_its_debtor(act, step)
    corrects = act.in_reply_to if act.in_reply_to == step.record else None
    after = returning.settle(
        owing.as_rules(step), act.message_id, done=body.done, corrects=corrects
    )
    act.in_reply_to = corrects or step.asked_by
    debtors = {
        act.case.standing(one.owed_by) for one in steps if one.episode == step.episode
    } & act.case.parties.keys()
    if body.account is not None and act.to.keys() - debtors - {act.unit}:
        raise invalid(
            "account-to",
            "The child’s account goes to the unit that led and the responsible authority alone:"
            " name nobody else.",
            "/to",
        )
    tell(act, debtors)
    if body.account is None:
        home = {act.case.home} if act.case.home in act.case.parties else set()
        tell(act, authorities(act) | {unit for unit in home if unit})
    act.to_all = False
    meet(act, step.asked_by, step.kind)
    act.later(
        lambda: act.session.execute(
            update(Interview)
            .where(Interview.id == step.id)
            .values(state=after.state, record_message_id=act.message_id, settled_at=act.at)
        )
    )


def _meant(act: Act, kind: str, steps: list[Step]) -> Step:
    """Return the interview that is meant: of the message named, or the last that is owed."""
    of_kind = [one for one in steps if one.interview == kind]
    if act.in_reply_to is not None:
        of_kind = [one for one in of_kind if act.in_reply_to in (one.asked_by, one.record)]
    if not of_kind:
        raise conflict("interview-not-owed", "No return in this case is owed this interview.")
    return max(of_kind, key=lambda one: (one.state == "owed", one.episode))


def _by_its_debtor(act: Act, step: Step) -> None:
    """Let the debtor record its interview, its organisation too; and others where it is away."""
    case = act.case
    debtor = case.standing(step.owed_by)
    if debtor in case.mine(act.actor):
        act.unit = debtor
        return
    if _records(act.session, case, act.unit, debtor):
        return
    owner = case.parties.get(debtor)
    raise conflict(
        "interview-owed-elsewhere",
        f"{owner.name if owner else 'Another unit'} owes this interview: it puts it on record, or"
        " why it was not done. Ring them.",
    )


def _records(session: Session, case: CaseState, unit: UUID, debtor: UUID) -> bool:
    """Say whether a unit may record what another owes: of its organisation, or that is away."""
    owner, own = case.parties.get(debtor), case.parties[unit]
    if owner is not None and own.organisation_id == owner.organisation_id:
        return True
    return _stands_in(case, unit) and reach(session, debtor, case.status, case.at) == "not-on-hub"


def _stands_in(case: CaseState, unit: UUID) -> bool:
    """Say whether a unit may write down what one without accounts told it."""
    party = case.parties[unit]
    return party.full and (party.police or unit == case.home)


def authority_named(act: Act) -> None:
    """Let the responsible authority into the case, from its start: a refused report is told it too (4.2).

    It owes the return home interview from now on (6).
    """
    named = [unit_named(act.session, str(unit), "/to/0", act.at) for unit in act.to]
    if [one.part for one in named] != [PLACING]:
        raise invalid("to-one", "Name one council’s children’s social care team.", "/to")
    [to] = named
    known = responsible(act.session, act.case)
    if known is not None:
        _in_place_of(act, known, to)
    act.add_party(to)
    if act.case.report is not None and act.case.report.state == "not-accepted":
        _tell_refusal(act, act.case.report, to.unit_id)
    owed = [
        one
        for case in (act.case.id, *aliases.joined_to(act.session, act.case.id))
        for one in owing.interviews(owing.incidents(act.session, case))
        if one.interview == "rhi" and one.state == "owed"
    ]
    act.later(lambda: _pass_on(act, owed, to.unit_id))


_ONLY_REPORTED = text("""
WITH RECURSIVE one AS (
    SELECT CAST(:case AS uuid) AS id
    UNION SELECT c.id FROM one JOIN cases c ON c.joined_into_id = one.id
)
SELECT EXISTS (
    SELECT FROM one JOIN cases c ON c.id = one.id JOIN unit u ON u.id = c.opener_unit_id
    WHERE u.organisation_id = :council
) AND NOT EXISTS (
    SELECT FROM one JOIN message m ON m.case_id = one.id
    WHERE m.type = 'placement-notification' AND m.sender_organisation_id = :council
        OR m.type = 'authority-named' AND EXISTS (
            SELECT FROM recipient r JOIN unit u ON u.id = r.unit_id
            WHERE r.message_id = m.id AND u.organisation_id = :council)
)
""")
_HOST = text("""
WITH RECURSIVE one AS (
    SELECT CAST(:case AS uuid) AS id
    UNION SELECT c.id FROM one JOIN cases c ON c.joined_into_id = one.id
)
UPDATE party SET part = :host FROM one
WHERE party.case_id = one.id AND party.part = :placing AND party.unit_id = ANY(:units)
""")
_REFUSAL = text("""
SELECT m.id FROM report r JOIN message s ON s.id = r.message_id
JOIN message m ON m.case_id = r.case_id AND m.number > s.number
WHERE r.id = :report AND (m.type = 'report-not-accepted'
    OR m.type = 'telephone-record' AND m.in_reply_to = s.id)
ORDER BY m.number
""")


def only_reported(session: Session, case: CaseState, unit: UUID) -> bool:
    """Say whether a unit’s council counts as responsible since it opened the case, and no more.

    It has told of no placement, and nobody has named it.
    """
    council = case.parties[unit].organisation_id
    return bool(session.scalar(_ONLY_REPORTED, {"case": case.id, "council": council}))


def _in_place_of(act: Act, known: UUID, to: PartyUnit) -> None:
    """Make a council that only reported the child missing the host authority: it sees what it saw.

    Raises:
        HubError: 409 `authority-known` where the responsible authority is known by more than that.
    """
    case = act.case
    if known == to.unit_id or not only_reported(act.session, case, known):
        raise conflict(
            "authority-known", "The responsible authority is on the case already: send an update."
        )
    council = case.parties[known].organisation_id
    if council == to.organisation_id:
        return  # a team of the same council
    hosts = {
        unit: replace(party, part=HOST)
        for unit, party in case.parties.items()
        if party.part == PLACING and party.organisation_id == council
    }
    case.parties |= hosts
    tell(act, {case.standing(unit) for unit in hosts if case.takes_part(unit)})
    values = {"case": case.id, "units": list(hosts), "host": HOST, "placing": PLACING}
    act.later(lambda: act.session.execute(_HOST, values))


def _tell_refusal(act: Act, report: OpenReport, to: UUID) -> None:
    """Send what police said of a report that stands refused to whoever is named since (4.2)."""
    act.priority = "urgent"
    for message_id in act.session.scalars(_REFUSAL, {"report": report.id}):
        act.later(partial(send_on, act, message_id, to))


def _pass_on(act: Act, owed: list[Step], to: UUID) -> None:
    for step in owed:
        act.session.execute(
            update(Interview)
            .where(Interview.id == step.id, Interview.state == "owed")
            .values(owed_by_unit_id=to)
        )
        act.session.execute(
            update(Clock)
            .where(
                Clock.message_id == step.asked_by,
                Clock.kind == step.kind,
                Clock.met_at.is_(None),
                Clock.ended_at.is_(None),
            )
            .values(owed_by_unit_id=to)
        )


def choices(now: Choosing) -> Choices:
    """Who owes an interview records it; the responsible authority is named while none is known.

    What a unit away owes is recorded by police who see the whole case, or by the home unit.
    """
    if not now.may("interview-record"):
        return
    steps = owing.interviews(owing.incidents(now.session, now.case.id))
    mine = [one for one in steps if _may_record(now, now.case.standing(one.owed_by))]
    for step in mine:
        if step.state == "owed":
            yield Action("interview-record", step.asked_by, interview=step.interview)
    for step in mine:
        if step.record is not None:
            yield Action("interview-record", step.record, interview=step.interview)
    if now.may("authority-named"):
        known = responsible(now.session, now.case)
        if known is None or only_reported(now.session, now.case, known):
            yield Action("authority-named", instead_of=known)


def _may_record(now: Choosing, debtor: UUID) -> bool:
    return debtor in now.mine or any(
        _records(now.session, now.case, unit, debtor)
        for unit in now.mine
        if now.case.parties[unit].part != ADJUDICATOR
    )


def known_interview(known: Knowing) -> dict[str, Any]:
    """Offer the interviewer of the last interview of the kind, as far as the reader may read it."""
    kind = known.carried.get("interview")
    last = [
        said["interviewer"]
        for _message, message_type, said in known.said
        if message_type == "interview-record"
        and said.get("interviewer")
        and kind in (None, said.get("interview"))
    ]
    return {"interviewer": last[-1]} if last else {}
