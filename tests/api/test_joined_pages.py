"""The page of a case that another was joined to: who leads starts from both (DOMAIN.md 4.10)."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from tests.worlds import ACCEPT, World

CHILD = {"family_name": "EXERCISE", "given_name": "EXERCISE", "date_of_birth": "2012-03-27"}
JOIN = {
    "rationale": "majority-of-enquiries", "circumstances": "EXERCISE", "kind": "join-episodes",
    "lead_after": "ours", "family_liaison": "EXERCISE the aunt",
}  # fmt: skip


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def test_the_lead_of_a_joined_case_sees_where_the_other_stood(
    world: World, client: FlaskClient, acting: list[Actor]
) -> None:
    other = world.open(world.kent, child=CHILD).case_reference
    line = {
        "live_line": "EXERCISE tape of the pier",
        "live_until": (utcnow().replace(year=utcnow().year + 1)).isoformat(),
    }
    world.send(world.kent, other, "update", heading="action", text="EXERCISE", **line)
    handed = {"to_officer": "EXERCISE Sergeant", "open_actions": "EXERCISE search the harbour"}
    world.send(world.kent, other, "officer-handover", **handed)
    ref = world.open(world.met, child=CHILD).case_reference
    world.send(world.met, ref, "lead-transfer-request", **JOIN)
    world.send(world.kent, ref, "lead-transfer-accept", **ACCEPT)
    acting.append(world.met)
    part = client.get(f"/cases/{ref}").text.partition('id="stands"')[2].partition("</section>")[0]
    said = " ".join(re.sub(r"<[^>]+>", " ", part).split())
    before, _, after = said.partition(f"In the case that was joined to this: {other}")
    assert "EXERCISE the aunt" in before
    assert "EXERCISE search the harbour" in after
    assert "Live line of enquiry: EXERCISE tape of the pier" in after
    assert f"/cases/{other}#message-3" in part
    acting.append(world.stranger)
    assert client.get(f"/cases/{ref}").status_code == 404
    acting.append(world.kent)
    assert "EXERCISE search the harbour" in client.get(f"/cases/{ref}").text
