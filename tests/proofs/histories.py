"""Histories of one lead under many hands, on the real database: who asked what when, and what came.

Some connections are cut in the middle of what they do; nobody then knows whether it took effect.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.presence import AwayError
from hub.records.vault import Vault
from messaging import sending, who_leads
from messaging.contracts import Command
from tests.proofs.linearizable import NEVER, Operation
from tests.proofs.register import DONE, REFUSED, Act, Kind
from tests.worlds import RECENTLY, REPORT

UNITS = ("metropolitan/central-north", "kent/east", "essex", "surrey")
ADJUDICATOR = "npcc/missing-persons"
TYPES: dict[Kind, str] = {
    "offer": "lead-transfer-request",
    "accept": "lead-transfer-accept",
    "decline": "lead-transfer-decline",
    "withdraw": "lead-transfer-withdraw",
    "hold": "holding-reply",
    "dispute": "dispute",
    "dispute-withdraw": "dispute-withdraw",
    "direct": "direction",
    "acknowledge": "direction-acknowledge",
    "told": "direction-acknowledge",
    "locate": "located",
    "confirm": "located-confirm",
    "refuse": "located-refuse",
    "hand-over": "officer-handover",
}
ABOUT: dict[Kind, Kind] = {
    "accept": "offer", "decline": "offer", "withdraw": "offer", "hold": "offer",
    "dispute-withdraw": "dispute", "acknowledge": "direct", "told": "direct",
    "confirm": "locate", "refuse": "locate",
}  # fmt: skip
WEIGHTS: dict[Kind, int] = {
    "offer": 15, "accept": 15, "decline": 4, "withdraw": 4, "hold": 3, "dispute": 9,
    "dispute-withdraw": 2, "direct": 8, "acknowledge": 8, "told": 2, "locate": 2, "confirm": 2,
    "refuse": 2, "hand-over": 3, "read": 12,
}  # fmt: skip
WHO: dict[Kind, str] = {
    **dict.fromkeys(("offer", "withdraw", "hand-over", "confirm", "refuse"), "lead"),
    **dict.fromkeys(("accept", "decline", "hold", "dispute", "dispute-withdraw"), "asked"),
    "acknowledge": "directed",
}
"""Who would most likely do a thing rightly; most acts are theirs, so that many take effect."""

History = list[Operation[Act, str]]


@dataclass
class Played:
    """One case being played: its reference, what was done so far, and what others may refer to."""

    reference: str
    history: History = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)
    likely: dict[str, str] = field(default_factory=dict)
    keys: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self) -> str:
        """Return a key that no other act has."""
        with self.lock:
            self.keys += 1
            return f"{self.keys}"


class Player:
    """Plays histories: several clients, each with one act after another, all at once."""

    def __init__(
        self, database: Database, vault: Vault, people: dict[str, Actor], adjudicator: Actor,
        *, cut: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.database, self.vault = database, vault
        self.people, self.adjudicator, self.cut = people, adjudicator, cut

    def play(
        self, dice: random.Random, pool: ThreadPoolExecutor, clients: int, acts: int
    ) -> Played:
        """Play one history and return it, with a last reading after everything has ended."""
        first = Command(
            type="missing-episode-report",
            status="exercise",
            body={**REPORT, "named_officer": UNITS[0]},
        )
        opened = self._opened(first)
        played = Played(opened.case_reference, likely={"lead": UNITS[0]})
        self._act(played, "offer", UNITS[0], dice.choice(UNITS[1:]), 1)
        plans = [self._plan(dice, acts) for _ in range(clients)]
        together = threading.Barrier(clients + bool(self.cut))

        def client(plan: Sequence[tuple[Kind, str, str, int]]) -> None:
            together.wait()
            for kind, by, to, which in plan:
                self._act(played, kind, by, to, which)

        working = [pool.submit(client, plan) for plan in plans]
        if self.cut is not None:
            together.wait()
            while not all(one.done() for one in working):
                time.sleep(dice.uniform(0.05, 0.3))
                self.cut()
        for one in working:
            one.result()
        before = len(played.history)
        while len(played.history) == before:
            self._act(played, "read", UNITS[0], "", 0)
        return played

    def _opened(self, first: Command) -> sending.Sent:
        """Open a case; a connection that was cut in the history before shows itself only now."""
        while True:
            try:
                with self.database.unit_of_work() as session:
                    return sending.open_case(
                        session, self.people[UNITS[0]], self.vault, first, utcnow()
                    )
            except DBAPIError:
                time.sleep(0.05)

    def _plan(self, dice: random.Random, acts: int) -> list[tuple[Kind, str, str, int]]:
        kinds = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=acts)
        return [(kind, dice.choice(UNITS), dice.choice(UNITS), dice.randrange(8)) for kind in kinds]

    def _act(self, played: Played, kind: Kind, by: str, to: str, which: int) -> None:
        key = played.key()
        if which % 4:
            by = played.likely.get(WHO.get(kind, ""), by)
        if kind == "read":
            by = UNITS[0]
        about = None
        if kind in ABOUT and which > 3:
            others = played.known.get(ABOUT[kind], [])
            about = others[3 - which] if which - 3 <= len(others) else None
        if kind == "offer" and which > 5:
            others = played.known.get("offer", [])
            about = others[-1] if others else None
        while self.database.away:
            time.sleep(0.01)
        began = time.perf_counter()
        outcome: str | None
        try:
            outcome, message = self._done(played, kind, by, to, about, key)
        except AwayError:
            return  # it was not even tried
        except DBAPIError:
            outcome, message = None, None
        ended = NEVER if outcome is None else time.perf_counter()
        if kind == "dispute" and to == by:
            to = ""  # nobody is named
        act = Act(kind, by, message or key, to, about, f"EXERCISE {key}")
        with played.lock:
            played.history.append(Operation(act, began, ended, outcome))
            if message is not None:
                played.known.setdefault(kind, []).append(message)
                played.likely |= {
                    "offer": {"asked": to},
                    "direct": {"directed": to},
                    "accept": {"lead": by, "asked": played.likely["lead"]},
                    "acknowledge": {"lead": by},
                }.get(kind, {})

    def _done(
        self, played: Played, kind: Kind, by: str, to: str, about: str | None, key: str
    ) -> tuple[str, str | None]:
        now = utcnow()
        if kind == "read":
            with self.database.unit_of_work() as session:
                view = who_leads.lead_view(session, self.people[by], played.reference, now)
            return _reading(view), None
        actor = self.adjudicator if kind in ("direct", "told") else self.people[by]
        command = Command.model_validate(
            {
                "type": TYPES[kind],
                "body": self._body(kind, to, about, key),
                "to": [to] if kind == "offer" or (kind == "dispute" and to != by) else [],
                "in_reply_to": about if kind in ABOUT else None,
                "callback_telephone": "020 7946 0001",
            }
        )
        try:
            with self.database.unit_of_work() as session:
                sent = sending.send(session, actor, self.vault, played.reference, command, now)
        except HubError as error:
            if error.status not in (403, 404, 409, 422):
                raise
            return REFUSED, None
        return DONE, str(sent.message_id)

    @staticmethod
    def _body(kind: Kind, to: str, about: str | None, key: str) -> dict[str, Any]:
        soon = (utcnow() + timedelta(minutes=30)).isoformat()
        return {
            "offer": {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
            | ({"withdraws": about} if kind == "offer" and about else {}),
            "accept": {"named_officer": f"EXERCISE {key}"},
            "decline": {"reason": "wrong-area"},
            "withdraw": {"reason": "EXERCISE"},
            "hold": {"decide_by": soon, "reason": "EXERCISE"},
            "dispute": {"grounds": "EXERCISE"},
            "dispute-withdraw": {"reason": "EXERCISE"},
            "direct": {"lead": to, "reasons": "EXERCISE"},
            "acknowledge": {"named_officer": f"EXERCISE {key}"},
            "told": {"named_officer": f"EXERCISE {key}", "told_by_telephone": "EXERCISE"},
            "locate": {"located_at": RECENTLY, "seen_by": "EXERCISE",
                       "place": "EXERCISE", "how": "police"},
            "confirm": {},
            "refuse": {"reason": "EXERCISE"},
            "hand-over": {"to_officer": f"EXERCISE {key}"},
        }[kind]  # fmt: skip


def _reading(view: dict[str, Any]) -> str:
    led = ">".join(
        f"{one['unit']['code']}/{one['named_officer']['name']}" for one in view["tenures"]
    )
    asked = view["open_request"]["to"]["code"] if view["open_request"] else "-"
    return f"{led} asked:{asked} ended:{view['lead'] is None}"


def cutter(superuser: Database, name: str, dice: random.Random) -> Callable[[], None]:
    """Return a function that cuts one connection to this database, in the middle of what it does."""

    def cut() -> None:
        with superuser.unit_of_work() as session:
            busy = session.scalars(
                text("SELECT pid FROM pg_stat_activity WHERE datname = :name"
                     " AND usename = 'hub_app' AND state <> 'idle'"),
                {"name": name},
            ).all()  # fmt: skip
            if busy:
                session.execute(
                    text("SELECT pg_terminate_backend(:pid)"), {"pid": dice.choice(busy)}
                )

    return cut
