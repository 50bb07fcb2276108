"""A mailbox at a registered domain registers itself to read; nobody learns whose domain it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from directory import access
from directory.model import DirectoryLink
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity import people
from hub.identity.model import Membership, Person
from hub.organisations import Organisation, find_organisation
from hub.post.catcher import Catcher
from hub.records import audit
from hub.records.keys import Keys
from hub.settings import Settings
from tests.conftest import Someone
from tests.letters import letters, path_in, post

DOMAIN = "islington.example.org"
READER = f"new.worker@{DOMAIN}"


@pytest.fixture
def client(settings: Settings, keys: Keys) -> Iterator[FlaskClient]:
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


@pytest.fixture
def council(database: Database, someone: Someone) -> Organisation:
    """A council whose administrator has registered its mail domain."""
    administrator = someone("E09000019/edt", "administrator", "actual")
    with database.unit_of_work() as session:
        found = find_organisation(session, "E09000019")
        assert found is not None
        access.set_domains(session, administrator, found, [f"@{DOMAIN.upper()}", ""], utcnow())
        assert found.mail_domains == [DOMAIN]
        return found


@pytest.fixture
def path(
    client: FlaskClient, council: Organisation, database: Database, settings: Settings, keys: Keys,
    tmp_path: Path,
) -> str:  # fmt: skip
    with Catcher(tmp_path / "mail") as catcher:
        client.post("/directory/access", data={"address": READER})
        post(database, settings, catcher, utcnow())
        (mail,) = letters(catcher)
        assert mail["To"] == READER
        return path_in(mail)


def test_the_answer_is_the_same_for_any_mailbox(
    client: FlaskClient, council: Organisation, database: Database
) -> None:
    known = client.post("/directory/access", data={"address": READER})
    unknown = client.post("/directory/access", data={"address": "somebody@example.com"})
    below = client.post("/directory/access", data={"address": f"x@sub.{council.mail_domains[0]}"})
    assert known.text == unknown.text == below.text
    assert client.post("/directory/access", data={"address": "nothing"}).status_code == 422
    with database.unit_of_work() as session:
        (link,) = session.scalars(select(DirectoryLink)).all()
        assert (link.address, link.organisation_id) == (READER, council.id)


def test_the_link_makes_an_account_that_reads_and_no_more(
    client: FlaskClient, path: str, database: Database
) -> None:
    made = client.post(path, data={"name": "Nia Price", "password": "three plain words"})
    assert made.status_code == 303
    assert client.get(path).status_code == 410
    with database.unit_of_work() as session:
        person = session.query(Person).filter_by(email=READER).one()
        (membership,) = people.current_memberships(session, person.id, utcnow())
        assert (membership.role, person.status) == ("directory-reader", "actual")
    signed_in = client.post(
        "/sign-in", data={"email": READER, "password": "three plain words", "next": "/"}
    )
    assert signed_in.status_code in (302, 303)
    assert client.get("/directory/forces/kent").status_code == 200
    assert client.get("/inbox").status_code == 403
    assert client.get("/directory/nation").status_code == 403


def test_who_has_an_account_keeps_its_name_and_password(
    client: FlaskClient, path: str, database: Database
) -> None:
    with database.unit_of_work() as session:
        people.add_person_with_membership(
            session, audit.SYSTEM, email=READER, name="Nia Price", organisation="E09000019",
            unit="E09000019/edt", role="practitioner", status="actual",
            password="a password of her own", now=utcnow(),
        )  # fmt: skip
    assert "You have an account already" in client.get(path).text
    assert client.post(path, data={"password": "somebody elses"}).status_code == 303
    with database.unit_of_work() as session:
        person = session.query(Person).filter_by(email=READER).one()
        assert people.password_matches("a password of her own", person.password_hash)
        count = select(func.count()).where(Membership.person_id == person.id)
        assert session.scalar(count) == 2


@pytest.mark.parametrize("domain", ["gmail.com", "no domain", "a@b"])
def test_a_domain_that_anybody_can_have_or_that_is_none_is_refused(
    domain: str, database: Database, council: Organisation, someone: Someone
) -> None:
    administrator = someone("E09000019/edt", "administrator", "actual")
    with database.unit_of_work() as session, pytest.raises(HubError) as caught:
        access.set_domains(session, administrator, council, [domain], utcnow())
    assert caught.value.code == "domains"


def test_only_its_administrators_keep_the_list_and_no_exercise_does(
    database: Database, council: Organisation, someone: Someone
) -> None:
    for unit, role, status, code in (
        ("kent", "administrator", "actual", "not-permitted"),
        ("E09000019/edt", "practitioner", "actual", "not-permitted"),
        ("E09000019/edt", "administrator", "exercise", "exercise-domains"),
    ):
        actor = someone(unit, role, status)
        with database.unit_of_work() as session, pytest.raises(HubError) as caught:
            access.set_domains(session, actor, council, ["example.com"], utcnow())
        assert caught.value.code == code


def test_a_councils_administrator_keeps_the_list_on_a_page(
    client: FlaskClient, database: Database, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    administrator = someone("E09000019/edt", "administrator", "actual")
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: administrator)
    page = "/directory/organisations/E09000019/keeping"
    assert "Domains, one a line" in client.get(page).text
    wrong = client.post(page, data={"domains": "gmail.com"})
    assert wrong.status_code == 422
    assert "cannot be registered" in wrong.text
    assert 'href="#domains"' in wrong.text
    assert ">gmail.com</textarea>" in wrong.text
    for name, code in (("Nobody’s Police", 422), ("kent police", 303), ("Kent", 409)):
        assert client.post(page, data={"to": name}).status_code == code, name
    right = client.post(page, data={"domains": f"{DOMAIN}\n"}, follow_redirects=True)
    assert f">{DOMAIN}</textarea>" in right.text
    assert client.get("/directory/organisations/kent/keeping").status_code == 404
    with database.unit_of_work() as session:
        found = find_organisation(session, "E09000019")
        assert found is not None
        assert found.mail_domains == [DOMAIN]
