"""Random histories of an episode: the services and the database do what the pure rules say.

Whatever is tried, by whom, in whatever order: an open episode has exactly one lead, at most one
open request, contiguous tenures; strangers get the same 404; refusals are the rules' own.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import alarms, lead, sending, who_leads
from messaging.contracts import Command
from tests.worlds import RECENTLY

UNITS = ("metropolitan/central-north", "kent/east", "essex", "surrey")
REPORT = {
    "child": {"given_name": "EXERCISE child", "age": 14},
    "last_seen_at": "2026-11-24T01:00:00Z",
    "last_seen_place": "EXERCISE Road",
    "risk": "medium",
    "why": "EXERCISE",
    "callback_telephone": "020 7946 0001",
}
SEEN = {
    "located_at": RECENTLY,
    "seen_by": "EXERCISE PC",
    "place": "EXERCISE",
    "how": "police",
}


REFUSED_TO_THE_TOLD = (
    "not-permitted", "request-already-answered", "wrong-unit", "claim-already-answered",
    "dispute-ended", "direction-ended", "held-already", "episode-ended", "not-lead", "case-closed",
    "to-itself", "lead-directed",
)  # fmt: skip
PLACED = {
    "child": {"given_name": "EXERCISE child", "age": 14},
    "placement_address": "EXERCISE",
    "placement_postcode": "CT9 1EZ",
    "starts_on": "2026-11-24",
    "social_worker_telephone": "020 7946 0201",
    "destination_unit": UNITS[0],
    "home_unit": UNITS[1],
}
PLANNED = {
    "lead_unit": UNITS[1],
    "first_actions_home": "EXERCISE",
    "first_actions_destination": "EXERCISE",
    "contacts_in_hours": "EXERCISE",
    "contacts_out_of_hours": "EXERCISE",
    "review_on": "2099-01-01",
}


def machine(
    database: Database, vault: Vault, people: dict[str, Actor], adjudicator: Actor, council: Actor
) -> type:
    units = st.sampled_from(UNITS)
    by_id = {actor.unit_id: code for code, actor in people.items()}

    class Histories(RuleBasedStateMachine):
        """One case, its pure model beside it."""

        def __init__(self) -> None:
            super().__init__()
            self.now = utcnow()
            self.requests: list[UUID] = []
            self.claims: list[UUID] = []
            self.disputes: list[UUID] = []
            self.directions: list[UUID] = []
            self.offered: set[str] = set()
            self.parties = {UNITS[0]}
            self.told: set[str] = set()
            """Units that were sent one message: they see that, and may say that they saw the child."""
            self.closed = False

        @initialize(planned=st.booleans(), answered=st.sampled_from(("agrees", "declines")))
        def begin(self, planned: bool, answered: str) -> None:
            if planned:
                self.plan(answered)
                return
            command = Command.model_validate(
                {"type": "missing-episode-report", "status": "exercise", "body": REPORT}
            )
            with database.unit_of_work() as session:
                sent = sending.open_case(session, people[UNITS[0]], vault, command, self.now)
            self.reference = sent.case_reference
            self.model = lead.record(UNITS[0], people[UNITS[0]].name, sent.sent_at)

        def plan(self, answered: str) -> None:
            """Place the child, plan that the second unit leads, and have the first record it."""
            command = Command.model_validate(
                {"type": "placement-notification", "status": "exercise", "body": PLACED}
            )
            with database.unit_of_work() as session:
                sent = sending.open_case(session, council, vault, command, self.now)
            self.reference = sent.case_reference
            assert isinstance(self.send(UNITS[0], "joint-response-plan", PLANNED), UUID)
            reply = {"answer": answered, "named_person": "EXERCISE", "reason": "EXERCISE"}
            assert isinstance(self.send(UNITS[1], "plan-reply", reply), UUID)
            assert self.send(UNITS[1], "plan-reply", reply) == "plan-answered"
            self.parties = {*UNITS[:2]}
            assert isinstance(self.send(UNITS[0], "missing-episode-report", REPORT), UUID)
            self.model = lead.record(UNITS[0], people[UNITS[0]].name, self.now)
            if answered == "agrees":
                [asked] = self.still_open("lead_request")
                request = lead.Request(asked, UNITS[1], True, basis="agreed-plan")
                self.model = lead.offer(self.model, UNITS[0], request)
                self.requests.append(asked)
                self.offered.add(UNITS[1])

        def send(
            self, code: str | Actor, kind: str, body: dict[str, Any], **more: Any
        ) -> UUID | str:
            """Send as somebody; return the message's id, or the refusal's code."""
            actor = people[code] if isinstance(code, str) else code
            self.now += timedelta(seconds=1)
            command = Command.model_validate({"type": kind, "body": body, **more})
            try:
                with database.unit_of_work() as session:
                    return sending.send(
                        session, actor, vault, self.reference, command, self.now
                    ).message_id
            except HubError as error:
                return error.code

        def compare(self, code: str, outcome: UUID | str, act: Callable[[], lead.Episode]) -> None:
            """Hold the outcome against the pure rules'."""
            if self.no_party(code, outcome):
                return
            if self.closed:
                assert outcome == "case-closed"
                return
            try:
                after = act()
            except lead.Refused as refused:
                allowed = {refused.code, "not-permitted"}
                if refused.code == "offered-to-itself":
                    allowed |= {"to-itself"}
                assert outcome in allowed, (outcome, refused.code)
                return
            assert isinstance(outcome, UUID), outcome
            self.model = after

        def no_party(self, code: str, outcome: UUID | str) -> bool:
            """Say whether a unit is no party; then the case is not there, or what it may not do."""
            if code not in self.parties:
                refusals = {"not-found"} if code not in self.told else set(REFUSED_TO_THE_TOLD)
                assert outcome in refusals, outcome
            return code not in self.parties

        @rule(by=units, to=units, urgent=st.booleans(), withdraws=st.booleans())
        def offer(self, by: str, to: str, urgent: bool, withdraws: bool) -> None:
            old = self.model.request.id if withdraws and self.model.request else None
            body: dict[str, Any] = {
                "rationale": "majority-of-enquiries",
                "circumstances": "EXERCISE",
            }
            if old is not None:
                body["withdraws"] = str(old)
            outcome = self.send(
                by, "lead-transfer-request", body, to=[to], callback_telephone="020 7946 0001",
                priority="urgent" if urgent else "routine",
            )  # fmt: skip
            key = outcome if isinstance(outcome, UUID) else uuid4()
            self.compare(
                by,
                outcome,
                lambda: lead.offer(self.model, by, lead.Request(key, to, urgent), withdraws=old),
            )
            if isinstance(outcome, UUID):
                self.requests.append(outcome)
                self.parties.add(to)
                self.offered.add(to)

        @rule(
            by=units,
            which=st.integers(0, 5),
            data=st.sampled_from(("accept", "decline", "withdraw")),
        )
        def answer(self, by: str, which: int, data: str) -> None:
            if not self.requests:
                return
            request = self.requests[-1 - which % len(self.requests)]
            if data == "accept":
                body = {"named_officer": people[by].name}
                act = lambda: lead.accept(  # noqa: E731  # said once, used below
                    self.model, by, request, people[by].name, self.now
                )
            elif data == "decline":
                body = {"reason": "wrong-area"}
                act = lambda: lead.decline(self.model, by, request)  # noqa: E731
            else:
                body = {"reason": "EXERCISE"}
                act = lambda: lead.withdraw(self.model, by, request)  # noqa: E731
            outcome = self.send(by, f"lead-transfer-{data}", body, in_reply_to=str(request))
            self.compare(by, outcome, act)

        @rule(by=units, which=st.integers(0, 5))
        def hold(self, by: str, which: int) -> None:
            if not self.requests:
                return
            request = self.requests[-1 - which % len(self.requests)]
            until = (self.now + timedelta(minutes=30)).isoformat()
            outcome = self.send(
                by, "holding-reply", {"decide_by": until, "reason": "EXERCISE"},
                in_reply_to=str(request),
            )  # fmt: skip
            self.compare(by, outcome, lambda: lead.hold(self.model, by, request))

        def sides(self) -> set[str]:
            return {*self.offered, *(str(one.unit) for one in self.model.tenures)}

        @rule(by=units, to=units)
        def dispute(self, by: str, to: str) -> None:
            model = self.model
            other: str | None = str(model.lead)
            if by == model.lead:
                others = self.sides() - {str(model.lead)}
                # Who names nobody means the only other side.
                one = next(iter(others)) if to == by and len(others) == 1 else None
                named = to if to in others else one
                other = str(model.request.to) if model.request else named
            outcome = self.send(
                by, "dispute", {"grounds": "EXERCISE"}, **({"to": [to]} if to != by else {})
            )
            if by in self.parties and not self.closed and (other is None or other == by):
                assert outcome in ("to-one", "not-permitted", "episode-ended", "no-side",
                                   "dispute-open"), outcome  # fmt: skip
                return
            if by in self.parties and not self.closed and by not in self.sides():
                assert outcome == "not-permitted", "it is no side"
                return
            key = outcome if isinstance(outcome, UUID) else uuid4()
            self.compare(by, outcome, lambda: lead.contest(model, by, key, other))
            if isinstance(outcome, UUID):
                self.disputes.append(outcome)
                self.told |= {to} - {by}

        @rule(by=units, which=st.integers(0, 5))
        def withdraw_dispute(self, by: str, which: int) -> None:
            if not self.disputes:
                return
            dispute = self.disputes[-1 - which % len(self.disputes)]
            outcome = self.send(
                by, "dispute-withdraw", {"reason": "EXERCISE"}, in_reply_to=str(dispute)
            )
            self.compare(by, outcome, lambda: lead.settle(self.model, by, dispute))

        @rule(to=units)
        def direct(self, to: str) -> None:
            model = self.model
            open_ = model.dispute is not None or model.direction is not None
            outcome = self.send(adjudicator, "direction", {"lead": to, "reasons": "EXERCISE"})
            if not open_ or self.closed:
                assert outcome == "not-found", "nothing is theirs to decide, so nothing is there"
                return
            assert isinstance(outcome, UUID), outcome
            self.model = lead.direct(model, lead.Direction(outcome, to))
            self.directions.append(outcome)
            self.parties.add(to)

        @rule(by=units, which=st.integers(0, 5))
        def acknowledge_direction(self, by: str, which: int) -> None:
            if not self.directions:
                return
            direction = self.directions[-1 - which % len(self.directions)]
            name = people[by].name
            outcome = self.send(
                by, "direction-acknowledge", {"named_officer": name}, in_reply_to=str(direction)
            )
            self.compare(
                by,
                outcome,
                lambda: lead.acknowledge_direction(self.model, direction, by, name, self.now),
            )

        @rule(by=units)
        def hand_over(self, by: str) -> None:
            outcome = self.send(by, "officer-handover", {"to_officer": "EXERCISE PS"})
            self.compare(by, outcome, lambda: lead.hand_over(self.model, by, "EXERCISE PS"))

        @rule(minutes=st.sampled_from((6, 11, 70)))
        def wait(self, minutes: int) -> None:
            self.now += timedelta(minutes=minutes)
            with database.unit_of_work() as session:
                alarms.escalate(session, self.now)

        @rule(by=units, risk=st.sampled_from(("high", "low", None)))
        def update(self, by: str, risk: str | None) -> None:
            body = {"heading": "other", "text": "EXERCISE"} | ({"new_risk": risk} if risk else {})
            outcome = self.send(by, "update", body)
            if self.no_party(by, outcome):
                return
            if self.closed:
                assert outcome == "case-closed"
            elif risk and self.model.ended_at is not None:
                assert outcome == "risk-of-episode", "nobody is missing"
            else:
                assert isinstance(outcome, UUID)

        @rule(by=units)
        def locate(self, by: str) -> None:
            outcome = self.send(by, "located", SEEN)
            key = outcome if isinstance(outcome, UUID) else uuid4()
            # Whoever was told of the child may say that they saw them, as a party may.
            self.compare(
                UNITS[0] if by in self.told else by,
                outcome,
                lambda: lead.locate(self.model, by, key, self.now),
            )
            if isinstance(outcome, UUID):
                self.claims.append(outcome)

        @rule(by=units, which=st.integers(0, 5), yes=st.booleans())
        def judge(self, by: str, which: int, yes: bool) -> None:
            if not self.claims:
                return
            claim = self.claims[-1 - which % len(self.claims)]
            if yes:
                outcome = self.send(by, "located-confirm", {}, in_reply_to=str(claim))
                self.compare(by, outcome, lambda: lead.confirm(self.model, by, claim, self.now))
            else:
                outcome = self.send(
                    by, "located-refuse", {"reason": "EXERCISE"}, in_reply_to=str(claim)
                )
                self.compare(by, outcome, lambda: lead.refuse(self.model, by, claim))

        @rule(by=units)
        def close(self, by: str) -> None:
            outcome = self.send(by, "closure", {"outcome": "EXERCISE", "authorised_by": "EXERCISE"})
            if self.no_party(by, outcome):
                return
            if self.closed:
                assert outcome == "case-closed"
            elif self.model.ended_at is None:
                assert outcome in ("episode-open", "not-permitted")
            else:
                # Who records interviews, so that a case does close, is test_return_histories.py's.
                assert outcome in ("statutory-step-open", "not-permitted")

        @invariant()
        def exactly_one_lead(self) -> None:
            if not hasattr(self, "reference"):
                return
            with database.unit_of_work() as session:
                rows = session.execute(
                    text("""
                        SELECT t.unit_id, t.basis, t.since, t.until, e.ended_at, e.opened_at
                        FROM tenure t JOIN episode e ON e.id = t.episode_id
                        JOIN cases c ON c.id = e.case_id
                        WHERE c.reference = :reference ORDER BY t.number
                    """),
                    {"reference": self.reference},
                ).all()
                open_requests = session.execute(
                    text("""
                        SELECT q.message_id FROM lead_request q JOIN episode e ON e.id = q.episode_id
                        JOIN cases c ON c.id = e.case_id
                        WHERE c.reference = :reference AND q.state = 'open'
                    """),
                    {"reference": self.reference},
                ).scalars().all()  # fmt: skip
            assert [by_id[row.unit_id] for row in rows] == [t.unit for t in self.model.tenures]
            assert [row.basis for row in rows] == [t.basis for t in self.model.tenures]
            assert rows[0].since == rows[0].opened_at
            for before, after in pairwise(rows):
                assert before.until == after.since
            still = [row for row in rows if row.until is None]
            assert len(still) == (0 if self.model.ended_at else 1)
            expected = [self.model.request.id] if self.model.request else []
            assert list(open_requests) == expected
            assert self.still_open("dispute") == (
                [self.model.dispute.id] if self.model.dispute else []
            )
            assert self.still_open("direction") == (
                [self.model.direction.id] if self.model.direction else []
            )

        def still_open(self, table: str) -> list[UUID]:
            """Return the messages of what is open of a kind."""
            with database.unit_of_work() as session:
                return list(
                    session.execute(
                        text(f"""
                            SELECT q.message_id FROM {table} q
                            JOIN episode e ON e.id = q.episode_id
                            JOIN cases c ON c.id = e.case_id
                            WHERE c.reference = :reference AND q.state = 'open'
                        """),
                        {"reference": self.reference},
                    ).scalars()
                )

        @invariant()
        def strangers_find_nothing(self) -> None:
            if not hasattr(self, "reference"):
                return
            for code, actor in people.items():
                if code in self.parties | self.told:
                    continue
                try:
                    with database.unit_of_work() as session:
                        who_leads.lead_view(session, actor, self.reference, self.now)
                    raise AssertionError("a stranger saw the lead")
                except HubError as error:
                    assert error.code == "not-found"

    return Histories


def test_random_histories_keep_the_rules(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    people = {code: someone(code) for code in UNITS}
    run_state_machine_as_test(
        machine(
            database,
            vault,
            people,
            someone("npcc/missing-persons", "adjudicator"),
            someone("E09000019/childrens-social-care", "practitioner"),
        ),
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
