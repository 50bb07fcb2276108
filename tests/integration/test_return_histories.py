"""Random histories of returns: the services and the database do what the pure rules say.

Whatever is tried, by whom, in whatever order: a return owes each interview once, each is settled
by a record or a reason and corrected by what refers to it, and a case closes when all are settled.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

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
from messaging import returning, sending
from messaging.contracts import Command
from messaging.lead import Refused
from tests.worlds import ISLINGTON, MET, RECENTLY, REPORT

SUPERVISOR = "EXERCISE supervisor"
RECORDS: dict[tuple[str, bool], dict[str, Any]] = {
    ("prevention", True): {"how": "phone", "with_whom": "child"},
    ("prevention", False): {"how": "not-done", "reason": "EXERCISE"},
    ("rhi", True): {"offered": "yes", "accepted": True, "completed_on": "2026-11-24"},
    ("rhi", False): {"offered": "yes", "accepted": False, "reason": "EXERCISE"},
}
SEEN = {
    "located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
    "how": "police",
}  # fmt: skip
CLOSE = {"outcome": "EXERCISE", "authorised_by": "EXERCISE"}


def machine(database: Database, vault: Vault, people: dict[str, Actor]) -> type:
    who = st.sampled_from(tuple(people))
    kinds = st.sampled_from(("prevention", "rhi"))

    class Returns(RuleBasedStateMachine):
        """One case of the Met's with Islington in it, its pure model beside it."""

        @initialize()
        def begin(self) -> None:
            self.now = utcnow()
            self.closed = False
            self.episodes: list[returning.Missing] = []
            body = Command.model_validate({
                "type": "missing-episode-report", "status": "exercise", "body": REPORT,
                "to": [ISLINGTON],
            })  # fmt: skip
            with database.unit_of_work() as session:
                sent = sending.open_case(session, people[MET], vault, body, self.now)
            self.reference = sent.case_reference
            self.episodes.append(returning.Missing((), sent.sent_at, None))

        def send(self, by: str, kind: str, body: dict[str, Any], **more: Any) -> UUID | str:
            """Send; return the message's id, or the refusal's code."""
            self.now += timedelta(seconds=1)
            command = Command.model_validate({"type": kind, "body": body, **more})
            try:
                with database.unit_of_work() as session:
                    return sending.send(
                        session, people[by], vault, self.reference, command, self.now
                    ).message_id
            except HubError as error:
                return error.code

        @property
        def missing(self) -> bool:
            return self.episodes[-1].until is None

        def ended(self, reason: str, dead: bool) -> None:
            owed = returning.owed(reason, dead=dead, led=MET, authority=ISLINGTON, home=None)
            self.episodes[-1] = returning.Missing(
                tuple(returning.Interview(one.kind, one.by) for one in owed),
                self.episodes[-1].since, self.now,
            )  # fmt: skip

        @rule(dead=st.sampled_from((None, None, "alive", "dead")))
        def locate(self, dead: str | None) -> None:
            outcome = self.send(MET, "located", {**SEEN, **({"found": dead} if dead else {})})
            if self.closed:
                assert outcome == "case-closed"
            elif not self.missing:
                assert outcome == "episode-ended"
            else:
                assert isinstance(outcome, UUID), outcome
                self.ended("located", dead == "dead")

        @rule(ground=st.sampled_from(("never-missing", "wanted", "known-whereabouts")),
              second=st.booleans())  # fmt: skip
        def err(self, ground: str, second: bool) -> None:
            body = {"ground": ground, "reason": "EXERCISE",
                    "authorised_by": "EXERCISE second" if second else people[SUPERVISOR].name}  # fmt: skip
            outcome = self.send(SUPERVISOR, "recorded-in-error", body)
            if self.closed:
                assert outcome == "case-closed"
            elif not self.missing:
                assert outcome == "not-permitted"
            elif ground != "never-missing":
                assert outcome == "wanted-stays-missing"
            elif not second:
                assert outcome == "another-authorises"
            else:
                assert isinstance(outcome, UUID), outcome
                self.ended("recorded-in-error", dead=False)

        @rule()
        def missing_again(self) -> None:
            outcome = self.send(MET, "missing-episode-report", REPORT)
            if self.closed:
                assert outcome == "case-closed"
            elif self.missing:
                assert outcome == "episode-open"
            else:
                assert isinstance(outcome, UUID), outcome
                self.episodes.append(returning.Missing((), self.now, None))

        @rule(by=who, kind=kinds, done=st.booleans(), corrects=st.booleans())
        def interview(self, by: str, kind: str, done: bool, corrects: bool) -> None:
            held = [(i, one) for i, e in enumerate(self.episodes) for one in e.interviews
                    if one.kind == kind]  # fmt: skip
            known = max(held, key=lambda h: (h[1].state == "owed", h[0]), default=None)
            record = known[1].record if known and corrects else None
            outcome = self.send(
                by, "interview-record", {"interview": kind, **RECORDS[kind, done]},
                **({"in_reply_to": str(record)} if record else {}),
            )  # fmt: skip
            if self.closed:
                assert outcome == "case-closed"
            elif known is None:
                assert outcome == "interview-not-owed"
            elif (MET if by == SUPERVISOR else by) != known[1].by:
                assert outcome == "interview-owed-elsewhere"
            else:
                try:
                    after = returning.settle(known[1], outcome, done=done, corrects=record)
                except Refused as refused:
                    assert outcome == refused.code
                    return
                assert isinstance(outcome, UUID), outcome
                old = self.episodes[known[0]]
                self.episodes[known[0]] = returning.Missing(
                    tuple(after if one is known[1] else one for one in old.interviews),
                    old.since, old.until,
                )  # fmt: skip

        @rule(by=who)
        def close(self, by: str) -> None:
            outcome = self.send(by, "closure", CLOSE)
            if self.closed:
                assert outcome == "case-closed"
            elif by == ISLINGTON:
                assert outcome == "not-permitted"
            else:
                try:
                    returning.close(self.episodes)
                except Refused as refused:
                    assert outcome == refused.code
                    return
                assert isinstance(outcome, UUID), outcome
                self.closed = True

        @rule(by=who)
        def reopen(self, by: str) -> None:
            outcome = self.send(by, "reopen", {"reason": "EXERCISE", "authorised_by": "EXERCISE"})
            if by == ISLINGTON:
                assert outcome == "not-permitted"
            elif not self.closed:
                assert outcome == "case-open"
            else:
                assert isinstance(outcome, UUID), outcome
                self.closed = False

        @invariant()
        def the_tables_say_the_same(self) -> None:
            if not hasattr(self, "reference"):
                return
            with database.unit_of_work() as session:
                rows = session.execute(
                    text("""
                        SELECT e.number, i.kind, i.state, i.record_message_id, k.met_at, k.ended_at
                        FROM interview i JOIN episode e ON e.id = i.episode_id
                        JOIN cases c ON c.id = e.case_id
                        JOIN clock k ON k.message_id = i.opened_by_message_id
                            AND k.kind = CASE i.kind WHEN 'rhi' THEN 'rhi'
                                ELSE 'prevention-interview' END
                        WHERE c.reference = :reference
                    """),
                    {"reference": self.reference},
                ).all()
            assert {(row.number, row.kind, row.state, row.record_message_id) for row in rows} == {
                (number, one.kind, one.state, one.record)
                for number, episode in enumerate(self.episodes, 1)
                for one in episode.interviews
            }
            for row in rows:
                assert (row.met_at is None) == (row.state == "owed")
                assert row.ended_at is None, "what is owed is owed until it is settled"

    return Returns


def test_random_histories_of_returns_keep_the_rules(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    people = {
        MET: someone(MET),
        SUPERVISOR: someone(MET, "supervisor", name="EXERCISE Inspector"),
        ISLINGTON: someone(ISLINGTON, "practitioner"),
    }
    run_state_machine_as_test(
        machine(database, vault, people),
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
