"""Signing in, staying so and being thrown out; tokens; the permission map."""

import base64
import json
from datetime import datetime, timedelta
from itertools import combinations
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select, update

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity import clients, people, policy, reach, sessions
from hub.identity.actor import PUBLIC, Actor
from hub.identity.model import OAuthClient, Person, WebSession
from hub.identity.tokens import Tokens
from hub.organisations import find_unit
from hub.records import audit
from hub.records.keys import Keys

WHO = audit.Who("system", name="test")
PASSWORD = "EXERCISE three words"
IDLE = timedelta(minutes=30)


@pytest.fixture
def now() -> datetime:
    return utcnow()


@pytest.fixture
def person(database: Database, now: datetime) -> UUID:
    with database.unit_of_work() as session:
        found = people.add_person_with_membership(
            session, WHO, email="Officer@Example.org", name="EXERCISE Officer",
            organisation="kent", unit="kent/east", role="officer", status="exercise",
            password=PASSWORD, now=now - timedelta(days=1),
        )  # fmt: skip
        return found.id


def enter(
    database: Database, now: datetime, password: str = PASSWORD, address: str = "127.0.0.1"
) -> str | None:
    with database.unit_of_work() as session:
        return sessions.sign_in(
            session, email="officer@example.org", password=password, address=address,
            secret=b"k" * 32, lasts=timedelta(hours=12), now=now,
        )  # fmt: skip


def actor(database: Database, token: str | None, now: datetime) -> Actor | None:
    with database.unit_of_work() as session:
        return sessions.load_actor(session, token or "", idle=IDLE, now=now)


def test_each_sign_in_has_a_token_of_its_own_kept_as_a_hash(
    database: Database, person: UUID, now: datetime
) -> None:
    one, other = enter(database, now), enter(database, now)
    assert one
    assert one != other
    with database.unit_of_work() as session:
        for row in session.scalars(select(WebSession)):
            assert one.encode() not in bytes(row.token_hash)
    found = actor(database, one, now)
    assert found is not None
    assert found.id == person
    assert found.unit_name == "East Kent"


def test_a_session_ends_idle_and_absolutely(
    database: Database, person: UUID, now: datetime
) -> None:
    token = enter(database, now)
    assert actor(database, token, now + timedelta(minutes=29))
    assert actor(database, token, now + timedelta(minutes=58))
    assert actor(database, token, now + timedelta(minutes=89)) is None
    token = enter(database, now)
    moment = now
    while moment < now + timedelta(hours=11, minutes=50):
        assert actor(database, token, moment)
        moment += timedelta(minutes=20)
    assert actor(database, token, now + timedelta(hours=12)) is None


def test_signing_out_makes_a_copied_cookie_worthless(
    database: Database, person: UUID, now: datetime
) -> None:
    token = enter(database, now)
    signed_in = actor(database, token, now)
    assert signed_in is not None
    with database.unit_of_work() as session:
        sessions.sign_out(session, signed_in, now=now)
    assert actor(database, token, now) is None


def test_the_suspended_are_out_at_their_next_request(
    database: Database, person: UUID, now: datetime
) -> None:
    token = enter(database, now)
    with database.unit_of_work() as session:
        session.execute(update(Person).values(suspended_at=now))
    assert actor(database, token, now) is None
    assert enter(database, now) is None


def test_wrong_passwords_are_throttled_by_account(
    database: Database, person: UUID, now: datetime
) -> None:
    for attempt in range(sessions.FAILURES_PER_ACCOUNT):
        assert enter(database, now, "wrong", f"192.0.2.{attempt}") is None
    with pytest.raises(HubError) as caught:
        enter(database, now)
    assert caught.value.status == 429
    assert caught.value.extra["retry_after"] > 0
    assert enter(database, now + timedelta(minutes=16))


def test_a_person_acts_for_one_unit_at_a_time(
    database: Database, person: UUID, now: datetime
) -> None:
    with database.unit_of_work() as session:
        people.add_person_with_membership(
            session, WHO, email="officer@example.org", name="", organisation="essex", unit=None,
            role="supervisor", status="exercise", password="", now=now,
        )  # fmt: skip
        essex = find_unit(session, "essex")
        assert essex is not None
    token = enter(database, now)
    first = actor(database, token, now)
    assert first is not None
    assert first.roles == {"officer"}
    with database.unit_of_work() as session:
        sessions.choose_unit(session, first, essex.id, now=now)
    second = actor(database, token, now)
    assert second is not None
    assert (second.unit_id, second.roles) == (essex.id, {"supervisor"})
    with database.unit_of_work() as session:
        surrey = find_unit(session, "surrey")
        assert surrey is not None
    with pytest.raises(HubError), database.unit_of_work() as session:
        sessions.choose_unit(session, second, surrey.id, now=now)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"organisation": "kemt"}, "/organisation"),
        ({"unit": "kent/nowhere"}, "/unit"),
        ({"unit": "essex"}, "/unit"),
        ({"role": "boss"}, "/role"),
        ({"email": "nobody"}, "/email"),
        ({"password": "short"}, "/password"),
    ],
)
def test_a_bad_account_is_refused_in_a_sentence(
    database: Database, now: datetime, change: dict[str, str], pointer: str
) -> None:
    given = {
        "email": "a@example.org", "name": "EXERCISE", "organisation": "kent", "unit": None,
        "role": "officer", "status": "exercise", "password": PASSWORD, **change,
    }  # fmt: skip
    with pytest.raises(HubError) as caught, database.unit_of_work() as session:
        people.add_person_with_membership(session, WHO, now=now, **given)
    assert caught.value.fields[0].pointer == pointer


def test_actual_people_make_no_unit_staffed_for_an_exercise(
    database: Database, person: UUID, now: datetime
) -> None:
    with database.unit_of_work() as session:
        east, kent = find_unit(session, "kent/east"), find_unit(session, "kent")
        assert east is not None
        assert kent is not None
        assert reach.reach(session, east.id, "exercise", now) == "staffed"
        assert reach.reach(session, east.id, "actual", now) == "not-on-hub"
        assert reach.reach(session, kent.id, "exercise", now) == "not-on-hub"


@pytest.fixture
def client(database: Database, now: datetime) -> OAuthClient:
    with database.unit_of_work() as session:
        client_id, secret = clients.add_client(
            session, WHO, name="EXERCISE", organisation="kent", unit="kent/east",
            scopes=["cases:read"], now=now,
        )  # fmt: skip
        found = clients.authenticate(session, client_id, secret)
        assert found is not None
        assert clients.authenticate(session, client_id, secret + "x") is None
        return found


def test_a_token_is_this_hubs_unexpired_and_untouched(
    database: Database, keys: Keys, client: OAuthClient, now: datetime
) -> None:
    tokens = Tokens(keys.token_signing, "https://hub.example")
    token = tokens.issue(client, ["cases:read"], now)
    assert tokens.actor(token, database, now).scopes == {"cases:read"}
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
    other = ECKey.generate_key("P-256")
    forged = [
        f"{none}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        jwt.encode({"alg": "ES256", "typ": "at+jwt"}, claims, other, algorithms=["ES256"]),
        Tokens(keys.token_signing, "https://other.example").issue(client, ["cases:read"], now),
        tokens.issue(client, ["cases:read"], now - timedelta(minutes=16)),
        "",
        "x.y.z",
    ]
    for one in forged:
        with pytest.raises(HubError) as caught:
            tokens.actor(one, database, now)
        assert caught.value.status == 401


def test_a_revoked_client_is_refused_within_a_second(
    database: Database,
    keys: Keys,
    client: OAuthClient,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = Tokens(keys.token_signing, "https://hub.example")
    token = tokens.issue(client, ["cases:read"], now)
    tokens.actor(token, database, now)
    with database.unit_of_work() as session:
        session.execute(update(OAuthClient).values(revoked_at=now))
    monkeypatch.setattr("hub.identity.tokens.RECHECK_SECONDS", 0.0)
    with pytest.raises(HubError):
        tokens.actor(token, database, now)


def test_the_map_denies_whatever_it_does_not_name() -> None:
    relations = {r for rules in policy.PERMISSIONS.values() for _, held in rules for r in held}
    for action, rules in policy.PERMISSIONS.items():
        for role in policy.ROLES:
            one = Actor("person", roles=frozenset({role}))
            for held in combinations(sorted(relations), 1):
                named = any(role in roles and set(held) & wanted for roles, wanted in rules)
                assert policy.allows(one, action, *held) is named
        with pytest.raises(HubError) as caught:
            policy.require(PUBLIC, action, *relations)
        assert caught.value.status == 401
    with pytest.raises(KeyError):
        policy.allows(PUBLIC, "no.such.action")
