"""The lead of an episode is one register: concurrent histories could have happened one at a time.

A bounded sample; `make prove` plays a thousand (DOMAIN.md 4.1, 4.3, 4.6).
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from tests.proofs import register
from tests.proofs.histories import ADJUDICATOR, UNITS, History, Player, cutter
from tests.proofs.linearizable import NEVER, Operation, linearization
from tests.proofs.register import DONE, REFUSED, Act

MET, KENT, ESSEX, _ = UNITS


def order(history: History) -> list[int] | None:
    return linearization(history, register.begin(MET), register.apply)


def one(kind: register.Kind, by: str, began: float, ended: float, outcome: str | None,
        key: str = "x", to: str = "", about: str | None = None) -> Operation[Act, str]:  # fmt: skip
    return Operation(Act(kind, by, key, to, about, by), began, ended, outcome)


OFFERED = one("offer", MET, 0, 1, DONE, "offer", KENT)
LEADS_MET = f"{MET}/{MET} asked:- ended:False"
LEADS_KENT = f"{MET}/{MET}>{KENT}/{KENT} asked:- ended:False"


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(
            [OFFERED, one("accept", KENT, 2, 4, DONE), one("decline", KENT, 2, 4, DONE)],
            id="both answers of one request took effect",
        ),
        pytest.param(
            [OFFERED, one("accept", KENT, 2, 3, DONE), one("read", MET, 4, 5, LEADS_MET)],
            id="a reading from before what had ended",
        ),
        pytest.param(
            [OFFERED, one("read", MET, 2, 3, LEADS_KENT)],
            id="the lead moved although nobody accepted",
        ),
        pytest.param(
            [OFFERED, one("offer", MET, 2, 3, DONE, "second", ESSEX)],
            id="two open requests",
        ),
        pytest.param(
            [OFFERED, one("accept", KENT, 2, 3, REFUSED)],
            id="an answer refused that nothing had overtaken",
        ),
        pytest.param(
            [OFFERED, one("accept", KENT, 2, NEVER, None), one("read", MET, 3, 4, LEADS_KENT),
             one("read", MET, 5, 6, LEADS_MET)],
            id="what nobody heard of took effect, and then had not",
        ),
    ],
)  # fmt: skip
def test_what_could_not_have_happened_is_found(history: History) -> None:
    assert order(history) is None


def test_what_nobody_heard_of_may_have_taken_effect_or_not() -> None:
    unheard = one("accept", KENT, 2, NEVER, None)
    asked = LEADS_MET.replace("asked:-", f"asked:{KENT}")
    assert order([OFFERED, unheard, one("read", MET, 3, 4, LEADS_KENT)])
    assert order([OFFERED, unheard, one("read", MET, 3, 4, asked)])


def test_concurrent_histories_could_have_happened_one_at_a_time(
    app_url: str, superuser_url: str, database_name: str, vault: Vault,
    someone: Callable[..., Actor],
) -> None:  # fmt: skip
    dice = random.Random()
    people = {code: someone(code) for code in UNITS}
    database, superuser = Database(app_url, pool_size=8), Database(superuser_url)
    cut = cutter(superuser, database_name, dice)
    spoilt = done = 0
    with ThreadPoolExecutor(8) as pool:
        for number in range(12):
            player = Player(
                database, vault, people, someone(ADJUDICATOR, "adjudicator"),
                cut=cut if number % 3 == 0 else None,
            )  # fmt: skip
            played = player.play(dice, pool, clients=5, acts=6)
            assert order(played.history), played.history
            done += sum(one.outcome == DONE for one in played.history)
            spoilt += order(_spoilt(played.history)) is None
    database.dispose()
    superuser.dispose()
    assert spoilt, "the checker believes everything"
    assert done > 36, "next to nothing took effect"


def _spoilt(history: History) -> History:
    """Return the history with a last reading of somebody who never led."""
    *rest, last = history
    return [*rest, replace(last, outcome=f"{last.outcome}>nobody")]
