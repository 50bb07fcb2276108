"""What each type of message does to its case: one function a type, on an Act.

Each asks the pure rules first (lead.py, reporting.py), then says what is written; `Refused`
becomes the reader's 409.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from hub.db import new_id
from hub.errors import HubError, conflict, invalid
from hub.identity.reach import reach
from hub.organisations import lineage
from messaging import audiences, clocks, contracts, lead, reporting
from messaging.model import (
    Case,
    Clock,
    Episode,
    LeadRequest,
    LocatedClaim,
    Message,
    Receipt,
    Report,
    Tenure,
)
from messaging.sending import Act, everyone, receipt, unit_named
from messaging.state import OpenEpisode, OpenReport, PartyUnit

ON_DUTY = timedelta(hours=8)


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
        _step(report, "recorded")
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
            "officer_name": officer, "officer_rank": act.actor.rank_or_role if own else None,
            "officer_collar": act.actor.collar_number if own else None,
            "on_duty_until": act.at + ON_DUTY, "since": act.at, "basis": "recorded",
            "message_id": act.message_id,
        },
    )  # fmt: skip
    if report is not None:
        reported = report
        act.later(lambda: _settle(act, reported, "recorded", episode_id))
        _tell(act, {report.reporter} | _authorities(act))
        _meet(act, report.message_id, "report-outcome")
    act.clock("ukmpu", act.unit)
    act.clock(clocks.review_kind(body.risk), act.unit)
    own_party = case.parties[act.unit]
    if not own_party.full:
        act.add_party(
            PartyUnit(
                own_party.unit_id, own_party.name, "police", True, True, own_party.organisation_id
            )
        )
    for unit in act.to.values():
        act.add_party(unit)


def _tell_police(act: Act) -> None:
    case = act.case
    if case.report is not None:
        raise conflict("report-open", "Your report waits for police already: send an update.")
    if case.episode is not None:
        raise conflict("episode-open", "Police have recorded this already: send an update.")
    addressed = next((unit for unit in act.to.values() if unit.police), None)
    if addressed is None:
        raise invalid(
            "to-missing", "Name the police unit to tell: the directory says which it is.", "/to"
        )
    act.priority = "urgent"
    for unit in act.to.values():
        act.add_party(unit)
    act.insert(
        "report",
        {
            "id": new_id(), "case_id": case.id, "message_id": act.message_id,
            "reporter_unit_id": act.unit, "addressed_unit_id": addressed.unit_id,
            "state": "awaiting-police", "state_since": act.at,
        },
    )  # fmt: skip
    act.reply_due_at = act.clock(
        "report-outcome", addressed.unit_id, started=_reachable(act, addressed.unit_id)
    )


def telephone_record(act: Act) -> None:
    """A call on record: it settles what a call can, starts clocks, and never moves a lead (4.5)."""
    body = cast(contracts.TelephoneRecord, act.body)
    report = act.case.report
    if body.called_at > act.at + timedelta(minutes=5):
        raise invalid("in-future", "The call cannot be later than now.", "/body/called_at")
    if act.in_reply_to is None:
        act.in_reply_to = _rung_about(act)
    asked = act.session.get(Message, act.in_reply_to) if act.in_reply_to else None
    if asked is not None:
        act.audience = audiences.narrower(act.audience, asked.audience)
    about_report = report is not None and act.in_reply_to == report.message_id
    if about_report and report is not None and report.reporter == act.unit:
        _call_about_report(act, report, body)
    elif body.outcome == "taken" and not about_report:
        raise conflict(
            "call-moves-nothing",
            "A call moves no lead: choose “I told them”. Their answer comes by the hub, a guest"
            " link or a signed reply.",
        )
    told = _told(act, body)
    if told is not None and asked is not None and asked.sender_unit_id in act.actor.unit_ids:
        message_id = asked.id
        row = receipt(message_id, told, "told-by-telephone", act.at, act.actor)
        row["who_name"] = act.actor.name
        act.later(
            lambda: act.session.execute(
                upsert(cast(Table, Receipt.__table__)).values(row).on_conflict_do_nothing()
            )
        )
        act.later(lambda: _start_clocks(act, message_id, told))


def _rung_about(act: Act) -> UUID | None:
    """Return the open question of this very unit that a call is about, where it names none."""
    episode, report = act.case.episode, act.case.report
    if episode is not None and episode.lead == act.unit and episode.request_message is not None:
        return episode.request_message
    return report.message_id if report is not None and report.reporter == act.unit else None


def _tell(act: Act, units: set[UUID]) -> None:
    """Send to these parties too, whomever the sender named."""
    for unit in units:
        act.to.setdefault(unit, act.case.parties[unit])


def _call_about_report(act: Act, report: OpenReport, body: contracts.TelephoneRecord) -> None:
    event = {"taken": "taken", "refused": "refused"}.get(body.outcome, "told-to-wait")
    state = _step(report, cast(reporting.Event, event))
    act.later(lambda: _settle(act, report, state))
    if body.outcome in ("taken", "refused"):
        _meet(act, None, "report-outcome")
    if body.outcome == "refused":
        # At once to the responsible authority and the force's duty inspector (4.2).
        act.priority = "urgent"
        _tell(act, _authorities(act) | {report.addressed})
        _tell_duty_inspector(act, report.addressed)


def _authorities(act: Act) -> set[UUID]:
    return {u for u, party in act.case.parties.items() if party.part == "responsible-authority"}


def _tell_duty_inspector(act: Act, unit: UUID) -> None:
    """Send to the whole force of a unit too: whoever is its duty inspector has it (4.2)."""
    force = lineage(act.session, unit)[-1]
    act.to.setdefault(
        force, act.case.parties.get(force) or unit_named(act.session, str(force), "/to", act.at)
    )


def _told(act: Act, body: contracts.TelephoneRecord) -> UUID | None:
    """Return the unit that was rung about the message: named, or the one that cannot be reached."""
    case = act.case
    if body.unit is not None:
        return unit_named(act.session, body.unit, "/body/unit", act.at).unit_id
    if case.episode is not None and act.in_reply_to == case.episode.request_message:
        return case.episode.request_to
    if case.report is not None and act.in_reply_to == case.report.message_id:
        return case.report.addressed
    return None


def _start_clocks(act: Act, message_id: UUID, unit: UUID) -> None:
    """Start the clocks of a request that waited for the telephone (4.5)."""
    waiting = act.session.execute(
        select(Clock.id, Clock.kind).where(
            Clock.message_id == message_id,
            Clock.owed_by_unit_id == unit,
            Clock.started_at.is_(None),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    ).all()
    for row in waiting:
        act.session.execute(
            update(Clock)
            .where(Clock.id == row.id)
            .values(started_at=act.at, due_at=clocks.due(row.kind, act.at, act.settings))
        )


def report_not_accepted(act: Act) -> None:
    """Police say no: the reporter hears why; the wrong force re-addresses in the same act (4.2)."""
    body = cast(contracts.ReportNotAccepted, act.body)
    report = act.case.report
    if report is None:
        raise conflict("report-settled", "There is no report here that waits for police.")
    act.in_reply_to = report.message_id
    act.priority = "urgent"
    _tell(act, {report.reporter} | _authorities(act))
    _tell_duty_inspector(act, act.unit)
    _meet(act, None, "report-outcome")
    if body.readdress_to is None:
        state = _step(report, "not-accepted")
        act.later(lambda: _settle(act, report, state))
        return
    other = unit_named(act.session, body.readdress_to, "/body/readdress_to", act.at)
    if not other.police or other.unit_id == act.unit:
        raise invalid("unit-unknown", "Name another police unit.", "/body/readdress_to")
    if report.state != "awaiting-police":
        raise conflict("report-settled", "The report does not wait for police now.")
    act.to.setdefault(other.unit_id, other)
    act.add_party(other)
    act.clock("report-outcome", other.unit_id, started=_reachable(act, other.unit_id))
    act.later(
        lambda: act.session.execute(
            update(Report)
            .where(Report.id == report.id)
            .values(addressed_unit_id=other.unit_id, state_since=act.at)
        )
    )


def lead_transfer_request(act: Act) -> None:
    """Offer the lead to one unit; it leads when it accepts, and not before (4.1, 4.3)."""
    body = cast(contracts.LeadTransferRequest, act.body)
    episode = _episode(act)
    police = [unit for unit in act.to.values() if unit.police]
    if len(police) != 1 or len(act.to) != 1:
        raise invalid("to-one", "Offer the lead to exactly one police unit.", "/to")
    to = police[0]
    urgent = act.command.priority == "urgent" or (body.risk or episode.risk) == "high"
    request = lead.Request(act.message_id, to.unit_id, urgent)
    lead.offer(episode.as_rules(), act.unit, request, withdraws=body.withdraws)
    act.priority = "urgent" if urgent else "routine"
    act.request_no = 1
    if body.withdraws is not None:
        _answer(act, episode, "withdrawn", old=body.withdraws)
    act.add_party(to)
    act.reply_due_at = act.clock(
        clocks.lead_kind(urgent), to.unit_id, started=_reachable(act, to.unit_id)
    )
    act.insert(
        "lead_request",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "kind": body.kind, "from_unit_id": act.unit, "to_unit_id": to.unit_id,
            "priority": act.priority, "opened_at": act.at,
        },
    )  # fmt: skip


def lead_transfer_accept(act: Act) -> None:
    """Take the lead: it moves at this commit, whole (4.1a)."""
    body = cast(contracts.LeadTransferAccept, act.body)
    episode, request = _request(act)
    lead.accept(episode.as_rules(), act.unit, request, body.named_officer, act.at)
    act.to |= _police_parties(act)
    _answer(act, episode, "accepted")
    act.later(lambda: _move(act, episode, body))


def _move(act: Act, episode: OpenEpisode, body: contracts.LeadTransferAccept) -> None:
    act.session.execute(update(Tenure).where(Tenure.id == episode.tenure_id).values(until=act.at))
    own = body.named_officer == act.actor.name
    act.session.add(
        Tenure(
            episode_id=episode.id,
            number=episode.tenure_number + 1,
            unit_id=act.unit,
            officer_name=body.named_officer,
            officer_rank=body.officer_rank or (act.actor.rank_or_role if own else None),
            officer_collar=body.officer_collar or (act.actor.collar_number if own else None),
            on_duty_until=body.on_duty_until or act.at + ON_DUTY,
            since=act.at,
            basis="accepted",
            message_id=act.message_id,
        )
    )
    act.session.flush()
    act.session.execute(
        update(Clock)
        .where(
            Clock.case_id == act.case.id,
            Clock.owed_by_unit_id == episode.lead,
            Clock.kind.in_(
                ("ukmpu", "review-high", "review-medium", "review-low", "located-answer")
            ),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
        .values(owed_by_unit_id=act.unit)
    )


def lead_transfer_decline(act: Act) -> None:
    """Decline: the lead stays where it is (4.1)."""
    episode, request = _request(act)
    lead.decline(episode.as_rules(), act.unit, request)
    act.to |= _police_parties(act)
    _answer(act, episode, "declined")


def lead_transfer_withdraw(act: Act) -> None:
    """Take the offer back: the lead stays where it is (4.1)."""
    episode, request = _request(act)
    lead.withdraw(episode.as_rules(), act.unit, request)
    act.to |= _police_parties(act)
    _answer(act, episode, "withdrawn")


def update_(act: Act) -> None:
    """News; new information re-opens a refused report, and high risk makes an offer urgent (4.4)."""
    body = cast(contracts.Update, act.body)
    case, report, episode = act.case, act.case.report, act.case.episode
    if report is not None and report.reporter == act.unit and report.state == "not-accepted":
        state = _step(report, "new-information")
        act.later(lambda: _settle(act, report, state))
        _tell(act, {report.addressed})
        act.reply_due_at = act.clock(
            "report-outcome", report.addressed, started=_reachable(act, report.addressed)
        )
        act.priority = "urgent"
    if body.new_risk is None or episode is None:
        return
    if not case.parties[act.unit].police:
        raise invalid(
            "risk-by-police", "Police assess the risk: write what you know as text.",
            "/body/new_risk",
        )  # fmt: skip
    risk = body.new_risk
    act.later(
        lambda: act.session.execute(
            update(Episode).where(Episode.id == episode.id).values(risk=risk)
        )
    )
    act.clock(clocks.review_kind(risk), episode.lead)
    if risk == "high":
        act.priority = "urgent"
        if episode.request_id is not None and lead.raise_risk(episode.as_rules()).request:
            act.later(lambda: _hurry(act, episode))


def _hurry(act: Act, episode: OpenEpisode) -> None:
    """Make the open request urgent: due at the earlier of its time and ten minutes from now (4.4)."""
    act.session.execute(
        update(LeadRequest)
        .where(LeadRequest.id == episode.request_id, LeadRequest.state == "open")
        .values(priority="urgent")
    )
    for clock in act.session.scalars(
        select(Clock).where(
            Clock.message_id == episode.request_message,
            Clock.kind.in_(("lead-routine", "lead-urgent")),
            Clock.met_at.is_(None),
            Clock.ended_at.is_(None),
        )
    ):
        clock.kind = "lead-urgent"
        if clock.due_at is not None:
            clock.due_at = clocks.made_urgent(clock.due_at, act.at, act.settings)
    act.session.flush()


def located(act: Act) -> None:
    """Somebody saw the child: the lead's word ends the episode, another's is a claim (4.9)."""
    body = cast(contracts.Located, act.body)
    if body.located_at > act.at + timedelta(minutes=5):
        raise invalid("in-future", "This cannot be later than now.", "/body/located_at")
    report, episode = act.case.report, act.case.episode
    if episode is None:
        if report is None or report.reporter != act.unit:
            raise conflict("episode-ended", "No episode is open, so nobody counts as missing.")
        state = _step(report, "returned")
        act.later(lambda: _settle(act, report, state))
        _tell(act, {report.addressed})
        _meet(act, None, "report-outcome")
        return
    act.priority = "urgent"
    after = lead.locate(episode.as_rules(), act.unit, act.message_id, act.at)
    if after.ended_at is not None:
        act.to |= everyone(act)
        act.later(lambda: _end(act, episode))
        return
    _tell(act, {episode.lead})
    act.reply_due_at = act.clock(
        "located-answer", episode.lead, started=_reachable(act, episode.lead)
    )
    act.insert(
        "located_claim",
        {
            "id": new_id(), "episode_id": episode.id, "message_id": act.message_id,
            "by_unit_id": act.unit,
        },
    )  # fmt: skip


def located_confirm(act: Act) -> None:
    """The lead confirms: the episode ends, and what is open is overtaken (4.9)."""
    episode, claim = _claim(act)
    lead.confirm(
        episode.as_rules([lead.Claim(claim.message_id, claim.by_unit_id)]),
        act.unit,
        claim.message_id,
        act.at,
    )
    act.to |= everyone(act)
    _close_claim(act, claim, "confirmed")
    act.later(lambda: _end(act, episode))


def located_refuse(act: Act) -> None:
    """The lead refuses: the child stays missing (4.9)."""
    episode, claim = _claim(act)
    lead.refuse(
        episode.as_rules([lead.Claim(claim.message_id, claim.by_unit_id)]),
        act.unit,
        claim.message_id,
    )
    _tell(act, {claim.by_unit_id})
    act.to |= _police_parties(act)
    _close_claim(act, claim, "refused")


def closure(act: Act) -> None:
    """Close the case, which is refused while an episode is open."""
    if act.case.episode is not None:
        raise conflict("episode-open", "The case cannot be closed while an episode is open.")
    report = act.case.report
    if report is not None:
        if report.state == "awaiting-police" and report.reporter != act.unit:
            raise conflict("report-open", "A report waits for police: record it, or say why not.")
        if report.state != "not-accepted":
            state = _step(report, "returned")
            act.later(lambda: _settle(act, report, state))
        _meet(act, None, "report-outcome")
    act.to |= everyone(act)
    act.later(
        lambda: act.session.execute(
            update(Case).where(Case.id == act.case.id).values(closed_at=act.at)
        )
    )
    act.later(lambda: _end_clocks(act))


def _episode(act: Act) -> OpenEpisode:
    if act.case.episode is None:
        raise conflict("episode-ended", "No episode is open in this case.")
    return act.case.episode


def _request(act: Act) -> tuple[OpenEpisode, UUID]:
    """Return the open episode and the request that is answered: the one named, or the open one."""
    episode = act.case.episode
    if act.in_reply_to is None:
        act.in_reply_to = episode.request_message if episode else None
    if episode is None or act.in_reply_to is None:
        raise lead.Refused("request-already-answered")
    return episode, act.in_reply_to


def _claim(act: Act) -> tuple[OpenEpisode, LocatedClaim]:
    open_claims = list(
        act.session.scalars(
            select(LocatedClaim)
            .join(Episode, Episode.id == LocatedClaim.episode_id)
            .where(Episode.case_id == act.case.id, LocatedClaim.state == "open")
            .order_by(LocatedClaim.id)
        )
    )
    if act.in_reply_to is None and len(open_claims) == 1:
        act.in_reply_to = open_claims[0].message_id
    for claim in open_claims:
        if claim.message_id == act.in_reply_to and act.case.episode is not None:
            return act.case.episode, claim
    raise lead.Refused("claim-already-answered")


def _answer(act: Act, episode: OpenEpisode, state: str, old: UUID | None = None) -> None:
    """End the open request with this message, and its clock."""
    answered = old or act.in_reply_to
    act.later(
        lambda: act.session.execute(
            update(LeadRequest)
            .where(LeadRequest.id == episode.request_id)
            .values(
                state=state, answered_at=act.at, answer_message_id=act.message_id,
                answered_by_unit_id=act.unit, answered_by_name=act.actor.name,
            )
        )
    )  # fmt: skip
    _meet(act, answered, "lead-urgent", "lead-routine", "opened-urgent", "opened-request")
    if state in ("accepted", "declined") and answered is not None:
        _answered(act, answered)


def _answered(act: Act, message_id: UUID) -> None:
    """Put on the answered message that this unit answered it, where it was a recipient."""
    row = receipt(message_id, act.unit, "answered", act.at, act.actor)
    act.later(
        lambda: act.session.execute(
            upsert(cast(Table, Receipt.__table__)).values(row).on_conflict_do_nothing()
        )
    )


def _close_claim(act: Act, claim: LocatedClaim, state: str) -> None:
    def write() -> None:
        claim.state = state
        claim.answered_at = act.at
        claim.answer_message_id = act.message_id
        claim.answered_by_unit_id = act.unit
        claim.answered_by_name = act.actor.name
        act.session.flush()

    act.later(write)
    _meet(act, claim.message_id, "located-answer")


def _end(act: Act, episode: OpenEpisode) -> None:
    """End the episode as located, at this moment; what is open in it is overtaken."""
    session = act.session
    overtaken = {"state": "overtaken", "answered_at": act.at, "answer_message_id": act.message_id,
                 "answered_by_unit_id": act.unit, "answered_by_name": act.actor.name}  # fmt: skip
    for table in (LeadRequest, LocatedClaim):
        session.execute(
            update(table)
            .where(table.episode_id == episode.id, table.state == "open")
            .values(**overtaken)
        )
    session.execute(update(Tenure).where(Tenure.id == episode.tenure_id).values(until=act.at))
    session.execute(
        update(Episode)
        .where(Episode.id == episode.id)
        .values(ended_at=act.at, end_reason="located", ended_by_message_id=act.message_id)
    )
    _end_clocks(act, keep_opened=True)


def _end_clocks(act: Act, *, keep_opened: bool = False) -> None:
    running = update(Clock).where(
        Clock.case_id == act.case.id, Clock.met_at.is_(None), Clock.ended_at.is_(None)
    )
    if keep_opened:
        running = running.where(Clock.kind.not_in(("opened", "opened-urgent", "opened-request")))
    act.session.execute(running.values(ended_at=act.at))


def _meet(act: Act, message_id: UUID | None, *kinds: str) -> None:
    """Stop clocks as met: of one message, or of the whole case."""
    query = update(Clock).where(
        Clock.case_id == act.case.id,
        Clock.kind.in_(kinds),
        Clock.met_at.is_(None),
        Clock.ended_at.is_(None),
    )
    if message_id is not None:
        query = query.where(Clock.message_id == message_id)
    act.session.execute(query.values(met_at=act.at))


def _step(report: OpenReport, event: reporting.Event) -> reporting.State:
    state = reporting.after(cast(reporting.State, report.state), event)
    if state is None:
        raise HubError("report-way", 409, "The report has moved on: look at the case again.")
    return state


def _settle(act: Act, report: OpenReport, state: str, episode_id: UUID | None = None) -> None:
    act.session.execute(
        update(Report)
        .where(Report.id == report.id)
        .values(state=state, state_since=act.at, episode_id=episode_id)
    )


def _reachable(act: Act, unit: UUID) -> bool:
    """Say whether a unit is on the hub, and remember it for the receipts."""
    if unit not in act.reach:
        act.reach[unit] = reach(act.session, unit, act.case.status, act.at)
    return act.reach[unit] != "not-on-hub"


def _police_parties(act: Act) -> dict[UUID, PartyUnit]:
    return {
        unit: party
        for unit, party in act.case.parties.items()
        if party.police and party.full and unit != act.unit
    }


EFFECTS: dict[str, Callable[[Act], Any]] = {
    "missing-episode-report": missing_episode_report,
    "telephone-record": telephone_record,
    "report-not-accepted": report_not_accepted,
    "lead-transfer-request": lead_transfer_request,
    "lead-transfer-accept": lead_transfer_accept,
    "lead-transfer-decline": lead_transfer_decline,
    "lead-transfer-withdraw": lead_transfer_withdraw,
    "update": update_,
    "located": located,
    "located-confirm": located_confirm,
    "located-refuse": located_refuse,
    "closure": closure,
}
