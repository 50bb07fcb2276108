"""What one step may change, by the rules of DOMAIN.md 4: the state before it and after it.

A step is one command, sent or refused, or a while in which clocks are missed. As `rules`, it is
written from the rules and not from the code.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from hub.errors import HubError
from tests.proofs.rules import Everything

TABLES: Mapping[str, LiteralString] = {
    "message": """SELECT id, case_id, number, type, in_reply_to, sent_at, sender_unit_id, sender_kind,
        sender_name, priority FROM message""",
    "episode": "SELECT * FROM episode",
    "lead_request": "SELECT * FROM lead_request",
    "located_claim": "SELECT * FROM located_claim",
    "dispute": "SELECT * FROM dispute",
    "direction": "SELECT * FROM direction",
    "information_request": "SELECT * FROM information_request",
    "plan": "SELECT * FROM plan",
    "clock": "SELECT * FROM clock",
    "report": "SELECT * FROM report",
    "tenure": "SELECT * FROM tenure",
    "officer_before": "SELECT * FROM officer_before",
    "receipt": "SELECT message_id, unit_id, kind, at FROM receipt",
    "escalation": "SELECT * FROM escalation",
    "cases": "SELECT id, reference, home_unit_id, joined_into_id, closed_at FROM cases",
    "party": "SELECT case_id, unit_id, part, sees FROM party",
    "recipient": "SELECT message_id, unit_id, reach FROM recipient",
}
"""What is read once a step."""

UNITS: LiteralString = """SELECT u.id, u.parent_id, u.name, u.organisation_id, o.kind FROM unit u
    JOIN organisation o ON o.id = u.organisation_id"""

KEYS = {
    "party": ("case_id", "unit_id"), "recipient": ("message_id", "unit_id"),
    "receipt": ("message_id", "unit_id", "kind"), "escalation": ("clock_id", "at"),
    "officer_before": ("tenure_id", "number"),
}  # fmt: skip
"""What a row goes by, where that is not its id."""

ASKED_IN = {
    "lead-transfer-accept": "lead_request", "lead-transfer-decline": "lead_request",
    "lead-transfer-withdraw": "lead_request", "located-confirm": "located_claim",
    "located-refuse": "located_claim", "dispute-withdraw": "dispute",
    "direction-acknowledge": "direction", "information-response": "information_request",
    "plan-reply": "plan",
}  # fmt: skip
"""Where the question is that a type of message answers, once."""

ANSWERS = (
    "lead-", "direction", "report-outcome", "enquiry", "located-answer", "meeting-reply",
    "plan-reply",
)  # fmt: skip
"""How the clocks begin within which somebody answers a message."""

RUNGS = ("repeat", "duty-inspector", "control-room", "coordinator", "adjudicator")
"""The steps of an escalation, in order (6)."""

CARRIED = ("ukmpu", "review-high", "review-medium", "review-low", "shift-end")
"""Clocks that go on with the steps of a joined case's, whichever is due first (4.10)."""

POLICE_SAY = {"recorded", "readdressed"}
REPORT_WAYS: Mapping[str, Mapping[str, set[str]]] = {
    "awaiting-police": {
        "readdressed": {"report-not-accepted"},
        "recorded": {"missing-episode-report", "admit-recording"},
        "recorded-by-telephone": {"telephone-record"},
        "not-accepted": {"report-not-accepted", "telephone-record"},
        "returned-before-recorded": {"located", "closure"},
    },
    "recorded-by-telephone": {
        "recorded": {"missing-episode-report", "admit-recording"},
        "not-accepted": {"report-not-accepted", "telephone-record"},
        "returned-before-recorded": {"located", "closure"},
    },
    "not-accepted": {
        "recorded": {"missing-episode-report", "admit-recording"},
        "awaiting-police": {"update"},
        "readdressed": {"report-not-accepted"},
        "recorded-by-telephone": {"telephone-record"},
        "returned-before-recorded": {"located", "closure"},
    },
    "recorded": {},
    "returned-before-recorded": {},
}
"""Which messages take a report from a state to another (4.2); "readdressed" waits elsewhere."""

OTHER_REASONS = {"case-closed", "case-joined"}
"""Refusals of anything whatever in a case."""

TEN_MINUTES = timedelta(minutes=10)


@dataclass(frozen=True)
class Moment:
    """All rows at a moment (aware UTC), by table and id; and the units."""

    now: datetime
    units: Mapping[UUID, Any]
    rows: Mapping[str, Mapping[Any, Any]]

    def __getitem__(self, table: str) -> Mapping[Any, Any]:
        return self.rows[table]

    def leads(self, case: UUID) -> UUID | None:
        """Return who leads the open episode of a case, if one is open."""
        return next(
            (
                row.unit_id
                for row in self["tenure"].values()
                if row.until is None and self["episode"][row.episode_id].case_id == case
            ),
            None,
        )

    def running(self, message: UUID, kind: str, debtor: UUID) -> list[Any]:
        """Return the clocks of a message that still run, of kinds that begin so, owed by a unit."""
        return [
            one
            for one in self["clock"].values()
            if one.message_id == message and one.kind.startswith(kind) and not one.met_at
            and not one.ended_at and one.owed_by_unit_id == debtor
        ]  # fmt: skip

    def force(self, unit: UUID) -> UUID:
        """Return the whole force, or council, that a unit is a part of."""
        above = self.units[unit].parent_id
        return unit if above is None else self.force(above)

    def told(self, message: UUID) -> set[UUID]:
        """Return who sent a message and whom it was sent to."""
        to = {unit for one, unit in self["recipient"] if one == message}
        return to | {self["message"][message].sender_unit_id}


def units(all_: Everything) -> Mapping[UUID, Any]:
    """Read the units, which no step changes."""
    return {row.id: row for row in all_.rows(UNITS)}


def moment(all_: Everything, now: datetime, units: Mapping[UUID, Any]) -> Moment:
    """Read everything once."""
    return Moment(
        now,
        units,
        {
            name: {_key(name, row): row for row in all_.rows(query)}
            for name, query in TABLES.items()
        },
    )


def _key(table: str, row: Any) -> Any:
    names = KEYS.get(table)
    return tuple(getattr(row, name) for name in names) if names else row.id


def pairs(before: Moment, after: Moment, table: str) -> Iterator[tuple[Any, Any]]:
    """Return every row that was there and is, as it was and as it is."""
    for key, row in before[table].items():
        if key in after[table]:
            yield row, after[table][key]


def rule_1_with_authority(before: Moment, after: Moment, asks: UUID | None) -> None:
    """An organisation that asks for a supervisor takes the lead that it is offered with one alone."""
    for key, row in after["tenure"].items():
        if key in before["tenure"] or row.basis not in ("accepted", "agreed-plan"):
            continue
        if asks is not None and after.units[row.unit_id].organisation_id == asks:
            assert row.supervisor_name, "a supervisor authorises it"


def rule_1_officers_stay_on_record(before: Moment, after: Moment) -> None:
    """The officers of a lead follow one another without a gap; each handover adds the one before.

    Whoever led before stays as they were, and nobody takes over in any other way.
    """
    kept = after["officer_before"]
    assert all(kept.get(key) == row for key, row in before["officer_before"].items())
    added = [row for key, row in kept.items() if key not in before["officer_before"]]
    handovers = {
        key
        for key, one in after["message"].items()
        if key not in before["message"] and one.type == "officer-handover"
    }
    assert sorted(row.message_id for row in added) == sorted(handovers), "one for each handover"
    for row in added:
        assert row.until == after["message"][row.message_id].sent_at
        assert _officer(row) == _officer(before["tenure"][row.tenure_id]), "who handed over"
    for old, new in pairs(before, after, "tenure"):
        handed = any(row.tenure_id == new.id for row in added)
        assert handed or _officer(old) == _officer(new), "nobody handed over"
    for tenure in after["tenure"].values():
        officers = sorted(
            (row for row in kept.values() if row.tenure_id == tenure.id),
            key=lambda row: row.number,
        )
        assert [row.number for row in officers] == list(range(1, len(officers) + 1))
        ends = [tenure.since, *(row.until for row in officers), tenure.until or after.now]
        assert [row.since for row in officers] == ends[: len(officers)], "never two, never nobody"
        assert ends == sorted(ends)


def _officer(row: Any) -> tuple[str, str | None, str | None]:
    return row.officer_name, row.officer_rank, row.officer_collar


def rule_2_how_a_report_goes_on(before: Moment, after: Moment) -> None:
    """A report takes the ways of 4.2 alone, each by who may; who refuses tells whom it concerns.

    Police alone record, refuse on the hub and re-address; the reporter records its own call.
    """
    for old, new in pairs(before, after, "report"):
        moved = new.addressed_unit_id != old.addressed_unit_id
        if new.state == old.state and not moved:
            continue
        way = "readdressed" if moved else new.state
        causes = REPORT_WAYS[old.state].get(way, set())
        said = [
            one
            for key, one in after["message"].items()
            if key not in before["message"] and one.case_id == new.case_id and one.type in causes
        ]
        assert said, f"{old.state} to {way}"
        by = said[0]
        police = after.units[by.sender_unit_id].kind == "police"
        if way in POLICE_SAY or by.type == "report-not-accepted":
            assert police, f"{way} by who is not police"
        if by.type == "telephone-record":
            assert by.sender_unit_id == new.reporter_unit_id, "a call that somebody else made"
        assert way != "recorded" or new.episode_id is not None
        assert moved is False or new.state == "awaiting-police"
        if way in ("not-accepted", "readdressed"):
            told = after.told(by.id)
            assert new.reporter_unit_id in told
            of_it = {old.addressed_unit_id, after.force(old.addressed_unit_id)}
            assert told & of_it, "its duty inspector is of that unit, or of its force"
            assert told >= {
                unit
                for (case, unit), party in after["party"].items()
                if case == new.case_id and party.part == "responsible-authority"
            }
            assert by.priority == "urgent"
    for key, new in after["report"].items():
        assert key in before["report"] or new.state == "awaiting-police"


def rule_3_answered_once(before: Moment, after: Moment) -> None:
    """What was answered stays answered so; withdrawing and offering elsewhere is one act."""
    for table in set(ASKED_IN.values()) - {"plan"}:
        for old, new in pairs(before, after, table):
            assert old.state == "open" or old == new, f"a second answer in {table}"
            assert new.state == "open" or new.answered_at is not None
    for old, new in pairs(before, after, "lead_request"):
        if old.state != "open" or new.state != "withdrawn":
            continue
        offered = [
            one
            for key, one in after["lead_request"].items()
            if key not in before["lead_request"] and one.episode_id == new.episode_id
        ]
        answer = after["message"][new.answer_message_id]
        if answer.type == "lead-transfer-request":
            [other] = offered
            assert other.message_id == answer.id
            assert other.opened_at == new.answered_at, "never a moment between"
        else:
            assert answer.type == "lead-transfer-withdraw"
            assert not offered


def rule_3_too_late(now: Moment, ref: str, kind: str, asked: UUID | None, error: HubError) -> bool:
    """Who answers what is answered is told who did, what and when; say whether this was so late.

    Only of what was asked in this very case: of another nobody hears a thing here (4.8).
    """
    table = ASKED_IN.get(kind)
    late = [
        row
        for row in now[table].values()
        if row.message_id == asked and row.answered_at is not None
        and now["cases"][now["message"][asked].case_id].reference == ref
    ] if table else []  # fmt: skip
    if not late or error.status != 409 or error.code in OTHER_REASONS:
        return False
    won = error.extra.get("winner")
    assert won, f"{kind}: {error.code} says nothing of what came first"
    [row] = [one for one in late if one.answered_at.isoformat() == won["at"]]
    assert won["outcome"] == row.state
    assert won["name"] == (row.answered_by_name or "")
    assert won["unit"] == (
        now.units[row.answered_by_unit_id].name if row.answered_by_unit_id else ""
    )
    if row.answer_message_id is not None:
        assert won["type"] == now["message"][row.answer_message_id].type
    assert won["name"] in error.sentence
    assert won["unit"] in error.sentence
    return True


def rule_4_raised_to_high(before: Moment, after: Moment) -> None:
    """Then the open request is urgent, and due when it was or in ten minutes, whichever is first.

    The clock of who has to be rung waits for the call, and is an urgent request's from then on.
    """
    raised = {
        new.id
        for old, new in pairs(before, after, "episode")
        if old.risk != "high" and new.risk == "high"
    }
    for old, new in pairs(before, after, "lead_request"):
        if old.episode_id not in raised or (old.state, new.state) != ("open", "open"):
            continue
        assert new.priority == "urgent"
        [was] = before.running(old.message_id, "lead-", old.to_unit_id)
        [now] = after.running(new.message_id, "lead-", new.to_unit_id)
        assert now.kind == "lead-urgent"
        if was.due_at is None:
            assert now.due_at is None, "who was not told has not begun to owe an answer"
        else:
            assert now.due_at == min(was.due_at, after.now + TEN_MINUTES)
            assert now.escalates_at is not None, "it goes on being missed, and told, when it is"
            assert now.escalates_at <= now.due_at or was.missed_at


def rule_6_nothing_twice(before: Moment, after: Moment) -> None:
    """A command that was refused, sent again or not, has changed nothing at all."""
    for table in TABLES:
        assert before[table] == after[table], f"a refusal changed {table}"


def rule_5_waits_for_the_call(now: Moment) -> None:
    """Who is not on the hub owes no answer before the call about that very message, or its delivery.

    Their answer counts through a guest link, or as a signed reply.
    """
    called = {(one.in_reply_to, one.sent_at) for one in now["message"].values()
              if one.type == "telephone-record"}  # fmt: skip
    for clock in now["clock"].values():
        who = now["recipient"].get((clock.message_id, clock.owed_by_unit_id))
        if who is None or who.reach != "not-on-hub" or clock.started_at is None:
            continue
        if not clock.kind.startswith(ANSWERS):
            continue
        if any(
            one.unit_id == who.unit_id
            and one.since >= clock.started_at
            and (one.until is None or one.until == clock.met_at)
            for one in now["tenure"].values()
        ):
            continue  # it ran for the lead before: who takes the lead takes it over as it is
        began = {at for message, at in called if message == clock.message_id} | {
            now["receipt"][clock.message_id, who.unit_id, kind].at
            for kind in ("told-by-telephone", "delivered")
            if (clock.message_id, who.unit_id, kind) in now["receipt"]
        }
        if clock.kind == "report-outcome":  # of a report, whatever it was passed on or told with
            reports = {one.message_id for one in now["report"].values()}
            began |= {at for message, at in called if message in reports}
        assert any(at <= clock.started_at for at in began), f"{clock.kind} runs, and nobody rang"
    for table in ("lead_request", "direction", "information_request", "plan"):
        for row in now[table].values():
            if row.answer_message_id is None:
                continue
            answer = now["message"][row.answer_message_id]
            who = now["recipient"].get((row.message_id, answer.sender_unit_id))
            if who is not None and who.reach == "not-on-hub":
                assert answer.sender_kind in ("guest", "signed-reply"), answer.sender_kind


def rule_5_rung_instead(now: Moment, clock: Any, told: Iterable[UUID]) -> None:
    """A missed clock of a lead that is not on the hub rings who led before, or the home unit, or the opener."""
    episode = next(
        row.episode_id
        for row in now["tenure"].values()
        if row.until is None and now["episode"][row.episode_id].case_id == clock.case_id
    )
    before = [
        row.unit_id
        for row in sorted(now["tenure"].values(), key=lambda one: one.number)
        if row.episode_id == episode and row.unit_id != clock.owed_by_unit_id
    ]
    case = now["cases"][clock.case_id]
    home = case.home_unit_id if case.home_unit_id != clock.owed_by_unit_id else None
    assert (before[-1] if before else home or case.opener_unit_id) in told


def rule_8_who_leads_sees(now: Moment) -> None:
    """Who leads, and who is offered the lead or directed to it, sees the case."""
    units = [
        (row.episode_id, row.unit_id) for row in now["tenure"].values() if row.until is None
    ] + [
        (row.episode_id, row.to_unit_id)
        for table in ("lead_request", "direction")
        for row in now[table].values()
        if row.state == "open"
    ]  # fmt: skip
    for episode, unit in units:
        assert now["party"][now["episode"][episode].case_id, unit].sees == "full"


def rule_9_a_claim_is_answered(now: Moment) -> None:
    """The lead owes the answer to each open claim, and the missing clock runs on until then."""
    for claim in now["located_claim"].values():
        if claim.state != "open":
            continue
        episode = now["episode"][claim.episode_id]
        assert episode.ended_at is None
        lead = now.leads(episode.case_id)
        assert lead is not None
        [clock] = now.running(claim.message_id, "located-answer", lead)
        told = now["recipient"].get((claim.message_id, lead))
        away = told is not None and told.reach == "not-on-hub"
        assert clock.started_at is not None or away, "unstarted only for who must be rung"
        joined = {episode.id}
        for _ in now["cases"]:  # an episode may have gone on in one that went on in this
            joined |= {one.id for one in now["episode"].values() if one.joined_into_id in joined}
        opened = {now["episode"][one].opened_by_message_id for one in joined}
        assert any(
            one.kind == "ukmpu" and one.message_id in opened
            and (one.met_at or (one.ended_at is None and one.owed_by_unit_id == lead))
            for one in now["clock"].values()
        ), "the missing clock runs"  # fmt: skip


def rule_9_overtaken(before: Moment, after: Moment) -> None:
    """A claim that is confirmed ends the episode: what was open of it is overtaken."""
    confirmed = {
        new.episode_id
        for old, new in pairs(before, after, "located_claim")
        if (old.state, new.state) == ("open", "confirmed")
    }
    for one in confirmed:
        assert after["episode"][one].end_reason == "located"
    for table in ("lead_request", "dispute", "direction", "located_claim"):
        for old, new in pairs(before, after, table):
            if new.episode_id in confirmed and old.state == "open":
                assert new.state == "overtaken" or (table, new.state) == (
                    "located_claim", "confirmed",
                )  # fmt: skip


def who_is_told(all_: Everything, before: Moment, after: Moment) -> None:
    """Each step of a missed clock tells who section 6 says, one rung after the other, never down.

    A clock that has started afresh, for a new match or a unit that has come onto the hub, climbs afresh.
    """
    for key, step in after["escalation"].items():
        if key in before["escalation"]:
            continue
        clock = after["clock"][step.clock_id]
        debtor = clock.owed_by_unit_id
        if step.rung == "adjudicator":
            assert step.unit_id is None
            assert all_.rows(
                """SELECT id FROM outbox_job WHERE kind = 'adjudicate' AND subject_id = %(id)s
                    AND created_at = %(at)s""", id=clock.message_id, at=step.at,
            ), "an adjudicator hears of it"  # fmt: skip
        elif debtor is None:
            assert step.unit_id is None
        elif step.rung in ("control-room", "coordinator"):
            assert step.unit_id == after.force(debtor)
        else:
            assert step.unit_id == debtor
        assert clock.missed_at is not None, clock.kind
        assert all_.rows(
            """SELECT id FROM outbox_job WHERE kind = 'alarm' AND subject_id = %(id)s
                AND created_at = %(at)s""", id=clock.id, at=step.at,
        ), "somebody hears of it"  # fmt: skip
        earlier = [
            RUNGS.index(one.rung)
            for one in after["escalation"].values()
            if one.clock_id == step.clock_id and clock.started_at <= one.at < step.at
        ]
        assert RUNGS.index(step.rung) >= max(earlier, default=0), clock.kind
        joined = any(one.joined_into_id == clock.case_id for one in after["cases"].values())
        carried = (
            joined and clock.kind in CARRIED
        )  # it climbs on from the steps of the joined one's
        assert step.step == len(earlier) + 1 or (carried and step.step > len(earlier)), clock.kind


def hold(all_: Everything, before: Moment, after: Moment) -> None:
    """Hold every rule about one step."""
    rule_1_officers_stay_on_record(before, after)
    rule_2_how_a_report_goes_on(before, after)
    rule_3_answered_once(before, after)
    rule_4_raised_to_high(before, after)
    rule_5_waits_for_the_call(after)
    rule_8_who_leads_sees(after)
    rule_9_a_claim_is_answered(after)
    rule_9_overtaken(before, after)
    who_is_told(all_, before, after)
