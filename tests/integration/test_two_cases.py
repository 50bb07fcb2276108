"""Random histories of two cases of one child: at every moment as many leads as open episodes (4.10)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

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
from messaging import joining, sending
from messaging.contracts import Command
from tests.worlds import ACCEPT, KENT, MET, RECENTLY, REPORT

CHILD = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
ASK = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE",
        "how": "police"}  # fmt: skip
UNITS = (MET, KENT, "surrey")
REFUSALS = {
    "not-found", "not-permitted", "case-joined", "case-closed", "match-closed", "match-ended",
    "match-moved", "to-match", "to-one", "to-itself", "not-lead", "offered-to-itself",
    "lead-request-open", "request-already-answered", "wrong-unit", "episode-ended", "claim-open",
    "denied-already", "nothing-to-admit", "both-open", "claim-already-answered", "episode-open",
}  # fmt: skip


def machine(database: Database, vault: Vault, people: dict[str, Actor]) -> type:
    units, cases = st.sampled_from(UNITS), st.sampled_from((0, 1))

    class TwoCases(RuleBasedStateMachine):
        """One child, two cases; the match beside them as the pure rules have it."""

        @initialize()
        def begin(self) -> None:
            self.now = utcnow()
            born = f"2012-{1 + self.now.microsecond % 12:02}-{1 + self.now.microsecond % 28:02}"
            child = {
                **CHILD,
                "family_name": f"EXERCISE {self.now.isoformat()}",
                "date_of_birth": born,
            }
            self.references = [self.record(people[unit], child) for unit in (MET, KENT)]
            self.match = joining.Match(0, 1)

        def record(self, actor: Actor, child: dict[str, Any]) -> str:
            command = Command(
                type="missing-episode-report", status="exercise", body={**REPORT, "child": child}
            )
            with database.unit_of_work() as session:
                return sending.open_case(session, actor, vault, command, self.now).case_reference

        def send(self, unit: str, case: int, kind: str, body: dict[str, Any], **more: Any) -> bool:
            self.now += timedelta(seconds=1)
            number = {"callback_telephone": "020 7946 0001"}
            command = Command.model_validate({"type": kind, "body": body, **number, **more})
            try:
                with database.unit_of_work() as session:
                    sending.send(
                        session, people[unit], vault, self.references[case], command, self.now
                    )
            except HubError as error:
                assert error.code in REFUSALS, (kind, error.code)
                return False
            return True

        def leading(self, case: int, otherwise: str) -> str:
            """Return the unit that leads a case; where none does, another."""
            by_id = {actor.unit_id: unit for unit, actor in people.items()}
            return by_id.get(self.leads().get(case), otherwise)

        @rule(by=units, case=cases, after=st.sampled_from(("theirs", "ours")))
        def join_rightly(self, by: str, case: int, after: str) -> None:
            """Ask as the one lead and accept as the other: what chance alone seldom does."""
            self.ask(self.leading(case, by), case, after)
            self.answer(self.leading(1 - case, by), case, yes=True)

        @rule(by=units, case=cases, after=st.sampled_from(("theirs", "ours", None)))
        def ask(self, by: str, case: int, after: str | None) -> None:
            body = {**ASK, "kind": "join-episodes"} | ({"lead_after": after} if after else {})
            self.send(by, case, "lead-transfer-request", body)

        @rule(by=units, to=units, case=cases)
        def offer(self, by: str, to: str, case: int) -> None:
            self.send(by, case, "lead-transfer-request", ASK, to=[to])

        @rule(by=units, case=cases, yes=st.booleans())
        def answer(self, by: str, case: int, yes: bool) -> None:
            if not yes:
                self.send(by, case, "lead-transfer-decline", {"reason": "wrong-area"})
                return
            before = self.leads()
            if self.send(by, case, "lead-transfer-accept", ACCEPT) and len(self.leads()) < len(
                before
            ):
                self.match = joining.Match(0, 1, "joined", self.match.denied)

        @rule(by=units, case=cases)
        def deny(self, by: str, case: int) -> None:
            if self.send(by, case, "not-same-child", {"reason": "EXERCISE"}):
                self.match = joining.deny(self.match, case)

        @rule(by=units, case=cases)
        def admit(self, by: str, case: int) -> None:
            before = self.leads()
            if self.send(by, case, "admit-recording", {"reason": "EXERCISE"}):
                assert before[1 - case] == self.leads()[case], "who led goes on leading"
                self.match = joining.Match(0, 1, "joined", self.match.denied)

        @rule(by=units, case=cases)
        def locate(self, by: str, case: int) -> None:
            self.send(by, case, "located", SEEN)

        @rule(by=units, case=cases)
        def refuse(self, by: str, case: int) -> None:
            self.send(by, case, "located-refuse", {"reason": "EXERCISE"})

        def leads(self) -> dict[int, Any]:
            """Return who leads the open episode of each case that has one."""
            rows = self.rows("""
                SELECT c.reference, t.unit_id FROM cases c
                JOIN episode e ON e.case_id = c.id AND e.ended_at IS NULL
                JOIN tenure t ON t.episode_id = e.id AND t.until IS NULL
                WHERE c.reference = ANY(:references)""")  # fmt: skip
            found = {self.references.index(row.reference): row.unit_id for row in rows}
            assert len(found) == len(rows), "a case has one lead"
            return found

        def rows(self, query: str) -> list[Any]:
            with database.unit_of_work() as session:
                return list(session.execute(text(query), {"references": self.references}))

        @invariant()
        def one_lead_for_each_open_episode_and_one_match(self) -> None:
            if not hasattr(self, "match"):
                return
            leads = self.leads()
            open_ = self.rows("""
                SELECT c.closed_at FROM cases c JOIN episode e ON e.case_id = c.id
                WHERE c.reference = ANY(:references) AND e.ended_at IS NULL""")  # fmt: skip
            assert len(open_) == len(leads)
            assert all(row.closed_at is None for row in open_)
            (match,) = self.rows("""
                SELECT m.state, (SELECT count(*) FROM match_denial d WHERE d.match_id = m.id) AS said
                FROM match m JOIN cases c ON c.id = m.one_case_id
                WHERE c.reference = ANY(:references)""")  # fmt: skip
            assert (match.state, match.said) == (self.match.state, len(self.match.denied))
            aliases = self.rows("""
                SELECT c.id FROM cases c JOIN cases s ON s.id = c.joined_into_id
                WHERE c.reference = ANY(:references) AND s.closed_at IS NULL
                    AND c.closed_at IS NOT NULL""")  # fmt: skip
            assert len(aliases) == (self.match.state == "joined")
            joined = self.rows("""
                SELECT e.ended_at, s.opened_at FROM episode e JOIN cases c ON c.id = e.case_id
                JOIN episode s ON s.id = e.joined_into_id
                WHERE c.reference = ANY(:references)""")  # fmt: skip
            assert all(row.opened_at <= row.ended_at for row in joined)
            assert len(joined) == len(aliases)

    return TwoCases


def test_random_histories_of_two_cases(
    database: Database, vault: Vault, someone: Callable[..., Actor]
) -> None:
    people = {unit: someone(unit) for unit in UNITS}
    run_state_machine_as_test(
        machine(database, vault, people),
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
