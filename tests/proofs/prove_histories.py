"""`make prove`: a thousand histories of a lead under many hands, each shown to be linearizable.

Not part of `make test`, which plays a sample. What came of it is written to docs/proofs.md.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from tests.proofs import register
from tests.proofs.histories import ADJUDICATOR, UNITS, History, Player, cutter
from tests.proofs.linearizable import linearization
from tests.proofs.register import DONE, REFUSED

HISTORIES = int(os.environ.get("HISTORIES", "1000"))
CLIENTS, ACTS = 5, 8
HEADINGS = (
    "histories", "how many", "acts and readings", "took effect", "refused", "nobody heard",
    "moves of the lead", "at once, on average", "not linearizable",
)  # fmt: skip
RESULTS = Path(__file__).parents[2] / "docs" / "proofs.md"


@dataclass
class Tally:
    """What came of the histories of one kind."""

    histories: int = 0
    acts: int = 0
    done: int = 0
    refused: int = 0
    unheard: int = 0
    moves: int = 0
    together: list[int] = field(default_factory=list)
    not_linearizable: int = 0

    def add(self, history: History) -> None:
        self.histories += 1
        acts = [one for one in history if one.call.kind != "read"]
        self.acts += len(history)
        self.done += sum(one.outcome == DONE for one in acts)
        self.refused += sum(one.outcome == REFUSED for one in acts)
        self.unheard += sum(one.outcome is None for one in history)
        self.moves += (history[-1].outcome or "").count(">")
        self.together += [
            sum(two.began < one.ended and one.began < two.ended for two in history)
            for one in history
        ]
        if linearization(history, register.begin(UNITS[0]), register.apply) is None:
            self.not_linearizable += 1

    def row(self, name: str) -> str:
        cells = (
            name, self.histories, self.acts, self.done, self.refused, self.unheard, self.moves,
            f"{statistics.mean(self.together):.1f}", self.not_linearizable,
        )  # fmt: skip
        return (
            "| " + " | ".join(f"{one:,}" if isinstance(one, int) else one for one in cells) + " |"
        )


def test_a_thousand_histories(
    app_url: str, superuser_url: str, database_name: str, vault: Vault,
    someone: Callable[..., Actor],
) -> None:  # fmt: skip
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    people = {code: someone(code) for code in UNITS}
    adjudicator = someone(ADJUDICATOR, "adjudicator")
    database, superuser = Database(app_url, pool_size=CLIENTS + 1), Database(superuser_url)
    cut = cutter(superuser, database_name, dice)
    calm, broken = Tally(), Tally()
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(HISTORIES):
            cutting = number % 4 == 0
            player = Player(database, vault, people, adjudicator, cut=cut if cutting else None)
            played = player.play(dice, pool, CLIENTS, ACTS)
            (broken if cutting else calm).add(played.history)
            if (number + 1) % 50 == 0:
                print(f"{number + 1} of {HISTORIES} histories", flush=True)  # progress
    with superuser.unit_of_work() as session:
        leaderless = session.execute(
            text("""
                SELECT count(*) FROM episode e WHERE (SELECT count(*) FROM tenure t
                    WHERE t.episode_id = e.id AND t.until IS NULL) <> (e.ended_at IS NULL)::int
            """)
        ).scalar_one()
    database.dispose()
    superuser.dispose()
    took = time.monotonic() - began
    RESULTS.write_text(_page(seed, took, calm, broken, leaderless))
    assert calm.not_linearizable + broken.not_linearizable == 0
    assert leaderless == 0
    assert calm.done + broken.done > HISTORIES, "next to nothing took effect"


def _page(seed: int, took: float, calm: Tally, broken: Tally, leaderless: int) -> str:
    return f"""# What was proved, and when

Written by `make prove`; the idea is in [decisions](decisions/0010-a-lead-is-a-register.md).

**Every history of a lead could have happened one act at a time.** {CLIENTS} clients act at once on one
episode of the real database, {ACTS} acts each: offers, answers, holding replies, disputes, directions,
acknowledgements, claims, handovers between officers, readings. In every fourth history connections are
cut in the middle of what they do. {utcnow():%d %B %Y}, {os.cpu_count()} cores, {took / 60:.0f} minutes,
seed {seed}.

| {" | ".join(HEADINGS)} |
|{"---|" * len(HEADINGS)}
{calm.row("calm")}
{broken.row("with cut connections")}

Episodes at the end that had no lead while open, or more than one: {leaderless}.
"""


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-s"]))
