"""A draft is its writer's alone, encrypted, and gone with its key once it is thrown away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.model import DataKey
from hub.records.vault import Vault
from messaging import drafts
from messaging.model import Draft
from seed import cast, demo

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.exercise(NOW)
FIELDS = {"child.given_name": ["Testchild"], "last_seen_at-time": ["02:15"]}


@pytest.fixture
def writer(database: Database, keys: Keys) -> Actor:
    with database.unit_of_work() as session:
        return demo.actor_of(session, cast.SOCIAL_WORKER)


def test_what_was_typed_comes_back_as_it_was_typed(
    database: Database, keys: Keys, writer: Actor
) -> None:
    vault = Vault(keys)
    with database.unit_of_work() as session:
        made = drafts.save(
            session, writer, vault, message_type="missing-episode-report", fields=FIELDS, now=NOW
        )
    later = NOW + timedelta(minutes=5)
    with database.unit_of_work() as session:
        assert drafts.load(session, writer, vault, made) == FIELDS
        again = drafts.save(
            session, writer, vault, message_type="missing-episode-report",
            fields={**FIELDS, "risk": ["high"]}, now=later, draft_id=made,
        )  # fmt: skip
    assert again == made
    with database.unit_of_work() as session:
        rows = drafts.listing(session, writer)
        assert [(row.id, row.updated_at) for row in rows] == [(made, later)]
        assert b"Testchild" not in bytes(session.scalars(select(Draft.ciphertext)).one())


def test_a_draft_is_nobody_elses(database: Database, keys: Keys, writer: Actor) -> None:
    vault = Vault(keys)
    with database.unit_of_work() as session:
        made = drafts.save(session, writer, vault, message_type="update", fields=FIELDS, now=NOW)
    other = replace(writer, id=uuid4())
    with database.unit_of_work() as session:
        assert drafts.listing(session, other) == []
        assert not drafts.mine(session, other, made)
        with pytest.raises(HubError) as refused:
            drafts.load(session, other, vault, made)
        assert refused.value.status == 404
        drafts.discard(session, other, vault, made, NOW)
        assert drafts.mine(session, writer, made)


def test_a_thrown_away_draft_leaves_no_key(database: Database, keys: Keys, writer: Actor) -> None:
    vault = Vault(keys)
    with database.unit_of_work() as session:
        made = drafts.save(session, writer, vault, message_type="update", fields=FIELDS, now=NOW)
    with database.unit_of_work() as session:
        drafts.discard(session, writer, vault, made, NOW)
        drafts.discard(session, writer, vault, made, NOW)
    with database.unit_of_work() as session:
        assert drafts.listing(session, writer) == []
        assert session.get_one(DataKey, made).wrapped is None
