"""Reports: police record an episode and lead it; a practitioner's tells them (DOMAIN.md 4.1, 4.2)."""

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import select, text, update

from hub.clock import said
from hub.db import new_id
from hub.errors import HubError, conflict, forbidden, invalid
from messaging import contracts, lead, placements
from messaging.act import Act
from messaging.choices import Action, Choices, Choosing, Knowing
from messaging.contracts.reports import OFFICER
from messaging.effects.ending import responsible
from messaging.effects.placing import HOST
from messaging.effects.planning import PLACING, ask_by_plan
from messaging.effects.returning import only_reported
from messaging.effects.steps import (
    assessed,
    authorities,
    meet,
    on_duty,
    reachable,
    review,
    send_on,
    settle,
    step,
    supervises,
    supervisor_asked,
    tell,
    tell_duty_inspector,
)
from messaging.model import (
    Episode,
    Report,
)
from messaging.sending import everyone, unit_named
from messaging.state import PartyUnit


def missing_episode_report(act: Act) -> None:
    """Police record an episode and lead it; a practitioner's tells them, and nobody leads (4.2)."""
    if act.case.parties[act.unit].police:
        _record(act)
    else:
        _tell_police(act)


def _record(act: Act) -> None:
    body = cast(contracts.MissingEpisodeReport, act.body)
    case = act.case
    if case.episode is not None:
        raise conflict("episode-open", "An episode is open in this case already: send an update.")
    report = case.report
    if report is not None:
        step(report, "recorded")
        act.in_reply_to = act.in_reply_to or report.message_id
    elif act.in_reply_to is not None:
        raise conflict("report-settled", "This report is settled already: send an update.")
    officer = body.named_officer or act.actor.name
    lead.record(act.unit, officer, act.at)
    episode_id = new_id()
    number = (
        act.session.scalar(
            select(Episode.number)
            .where(Episode.case_id == case.id)
            .order_by(Episode.number.desc())
            .limit(1)
        )
        or 0
    ) + 1
    own = officer == act.actor.name
    until = on_duty(act, body.on_duty_until)
    act.insert(
        "episode",
        {
            "id": episode_id, "case_id": case.id, "number": number, "opened_at": act.at,
            "opened_by_message_id": act.message_id, "recording_unit_id": act.unit,
            "risk": body.risk,
        },
    )  # fmt: skip
    act.insert(
        "tenure",
        {
            "id": new_id(), "episode_id": episode_id, "number": 1, "unit_id": act.unit,
            "officer_name": officer,
            "officer_rank": body.officer_rank or (act.actor.rank_or_role if own else None),
            "officer_collar": body.officer_collar or (act.actor.collar_number if own else None),
            "on_duty_until": until, "since": act.at, "basis": "recorded",
            "message_id": act.message_id,
        },
    )  # fmt: skip
    if report is not None:
        reported = report
        act.later(lambda: settle(act, reported, "recorded", episode_id))
        tell(act, {report.reporter} | authorities(act))
        meet(act, None, "report-outcome", "supervisor-decision")
    act.clock("ukmpu", act.unit)
    act.clock("shift-end", act.unit, due=until)
    due = review(act, body.risk, act.unit, body.review_at, "/body/review_at")
    assessed(act, body, due)
    own_party = case.parties[act.unit]
    if not own_party.full:
        act.add_party(
            PartyUnit(
                own_party.unit_id, own_party.name, "police", True, True, own_party.organisation_id
            )
        )
    _admit_named(act)
    prepared = placements.of_case(act.session, case)
    act.to |= everyone(act)
    ask_by_plan(
        act, prepared, act.unit, body.why, body.risk, body.callback_telephone,
        live_lines=body.live_lines, warnings=body.warnings,
    )  # fmt: skip


def _tell_police(act: Act) -> None:
    case = act.case
    if case.report is not None:
        raise conflict("report-open", "A report waits for police already: send an update.")
    if case.episode is not None:
        raise conflict("episode-open", "Police have recorded this already: send an update.")
    addressed = next((unit for unit in act.to.values() if unit.police), None)
    if addressed is None:
        raise invalid(
            "to-missing", "Name the police unit to tell: the directory says which it is.", "/to"
        )
    act.priority = "urgent"
    body = cast(contracts.MissingEpisodeReport, act.body)
    assessed(act, body, body.review_at)
    _admit_named(act)
    act.to |= everyone(act)
    act.insert(
        "report",
        {
            "id": new_id(), "case_id": case.id, "message_id": act.message_id,
            "reporter_unit_id": act.unit, "addressed_unit_id": addressed.unit_id,
            "state": "awaiting-police", "state_since": act.at,
        },
    )  # fmt: skip
    act.reply_due_at = act.clock(
        "report-outcome", addressed.unit_id, started=reachable(act, addressed.unit_id)
    )


def _admit_named(act: Act) -> None:
    """Let whom the reporter names into the case; a second council as a host, and by police alone (4.8).

    Raises:
        HubError: 409 `authority-known`, so that nothing is shown to a council by mistake.
    """
    known = responsible(act.session, act.case)
    settled = known is not None and not only_reported(act.session, act.case, known)
    for unit_id, unit in act.to.items():
        second = settled and unit.part == PLACING and unit_id not in act.case.parties
        settled = settled or unit.part == PLACING
        if second and not act.case.parties[act.unit].police:
            raise conflict(
                "authority-known",
                "The responsible authority is on the case already, and hears of the report: send it"
                " again without the other council.",
            )
        act.add_party(replace(unit, part=HOST) if second else unit)


def report_not_accepted(act: Act) -> None:
    """Police say no: the reporter hears why; the wrong force re-addresses in the same act (4.2)."""
    body = cast(contracts.ReportNotAccepted, act.body)
    if body.may_do is not None:
        raise invalid("computed", "The hub writes this itself: leave it out.", "/body/may_do")
    # Another unit that has it now has refused nothing that its supervisor could decide.
    asks = [] if body.readdress_to else ["ask-a-supervisor"]
    act.body = body.model_copy(update={"may_do": ["add-information", *asks, "ring"]})
    report = act.case.report
    if report is None:
        raise _settled(act)
    if act.unit != report.addressed:
        raise conflict(
            "report-elsewhere", "Another unit has this report, and says what police do with it."
        )
    asked = supervisor_asked(act.session, act.case.id)
    if asked is None and report.state == "not-accepted":
        raise conflict("report-settled", "The report does not wait for police now.")
    if asked is not None and not supervises(act.actor):
        raise forbidden(
            "supervisor-decides", "A supervisor was asked to decide on this report: they answer it."
        )
    act.in_reply_to = asked or report.message_id
    act.priority = "urgent"
    tell(act, {report.reporter} | authorities(act))
    tell_duty_inspector(act, act.unit)
    meet(act, None, "report-outcome", "supervisor-decision")
    if body.readdress_to is None:
        state = step(report, "not-accepted")
        act.later(lambda: settle(act, report, state))
        return
    other = unit_named(act.session, body.readdress_to, "/body/readdress_to", act.at)
    if not other.police or other.unit_id == act.unit:
        raise invalid("unit-unknown", "Name another police unit.", "/body/readdress_to")
    if report.state == "recorded-by-telephone":
        raise conflict("report-settled", "The report does not wait for police now.")
    state = step(report, "readdressed")
    act.to.setdefault(other.unit_id, other)
    act.add_party(other)
    act.clock("report-outcome", other.unit_id, started=reachable(act, other.unit_id))
    act.later(lambda: send_on(act, report.message_id, other.unit_id))
    act.later(
        lambda: act.session.execute(
            update(Report)
            .where(Report.id == report.id)
            .values(addressed_unit_id=other.unit_id, state=state, state_since=act.at)
        )
    )


_RECORDED = text("""
SELECT u.name, m.sender_name, m.sent_at FROM report r JOIN episode e ON e.id = r.episode_id
JOIN message m ON m.id = e.opened_by_message_id JOIN unit u ON u.id = m.sender_unit_id
WHERE r.case_id = :case_id ORDER BY m.number DESC LIMIT 1
""")


def _settled(act: Act) -> HubError:
    """Return why a report is not refused any more: who recorded it, and when."""
    row = act.session.execute(_RECORDED, {"case_id": act.case.id}).one_or_none()
    if row is None:
        return conflict("report-settled", "There is no report here that waits for police.")
    return conflict(
        "report-settled",
        f"{row.sender_name}, {row.name}, recorded this report on {said(row.sent_at)}: the child"
        " counts as missing.",
        name=row.sender_name, unit=row.name, at=row.sent_at.isoformat(),
    )  # fmt: skip


def supervisor_request(act: Act) -> None:
    """Ask the force's duty inspector to decide on a report that was not accepted: it is due (4.2)."""
    report = act.case.report
    if report is None or report.state != "not-accepted":
        raise conflict("report-not-refused", "There is no report here that police refused.")
    if act.case.parties[act.unit].police:
        raise conflict("not-reporter", "The reporter or the responsible authority asks for this.")
    if supervisor_asked(act.session, act.case.id) is not None:
        raise conflict(
            "supervisor-asked", "A supervisor was asked already, and has not decided yet: ring."
        )
    act.in_reply_to = report.message_id
    act.priority = "urgent"
    tell(act, {report.addressed, report.reporter} | authorities(act))
    tell_duty_inspector(act, report.addressed)
    act.reply_due_at = act.clock(
        "supervisor-decision", report.addressed, started=reachable(act, report.addressed)
    )


def choices(now: Choosing) -> Choices:
    """Police settle a report that waits; where there is none, the child may be missing again."""
    report = now.case.report
    if now.case.episode is not None:
        return
    if report is None:
        if now.may("missing-episode-report"):
            yield Action("missing-episode-report")
        return
    if now.police and now.may("missing-episode-report"):
        yield Action("missing-episode-report", report.message_id)
    asked = supervisor_asked(now.session, now.case.id)
    open_ = supervises(now.actor) if asked else report.state != "not-accepted"
    if open_ and now.may("report-not-accepted"):
        yield Action("report-not-accepted", asked or report.message_id)
    refused = report.state == "not-accepted" and asked is None and not now.police
    if refused and now.may("supervisor-request"):
        yield Action("supervisor-request", report.message_id)


def known_report(known: Knowing) -> dict[str, Any]:
    """Fill in everything that the case has of a report."""
    body = known.given(*contracts.MissingEpisodeReport.model_fields)
    for name in (*OFFICER, "risk_assessor", "risk_list_version", "review_at"):
        body.pop(name, None)
    address = _placed_at(known)
    if address and isinstance(body.get("child"), dict):
        body["child"] = {"placement_address": address, **body["child"]}
    if "missing_history" in known.latest:
        body.setdefault("previous_episodes", known.latest["missing_history"])
    return body


def _placed_at(known: Knowing) -> str:
    """Return the address of where the child is placed, or was last: not of a move that is told ahead."""
    prepared = placements.of_case(known.session, known.case)
    placement = prepared.placement
    if placement is None or placement.starts_on > prepared.today:
        return ""
    told = next((body for message, _, body in known.said if message == placement.message_id), {})
    parts = (told.get("placement_address"), told.get("placement_postcode"))
    return ", ".join(part for part in parts if part)
