"""A force that is not on the hub gets a claim link, and is in the directory minutes later."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from directory import claims, editing, links
from directory.entry_contracts import ContactIn
from directory.ladder import Reader
from directory.lookup import Answer, Asked, Lookup
from directory.model import ContactPoint, DirectoryLink
from directory.postcodes import Postcodes
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.model import Membership, Person
from hub.organisations import Unit, find_organisation, find_unit
from hub.post.catcher import Catcher
from hub.records.keys import Keys
from hub.records.model import AuditRecord
from hub.settings import Settings
from tests.conftest import Someone
from tests.directories import read
from tests.letters import letters, path_in, post

FORCE = "devon-and-cornwall"
MAILBOX = "missing@devon-cornwall.example.org"


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    with Catcher(tmp_path / "mail") as running:
        yield running


@pytest.fixture
def client(settings: Settings, keys: Keys) -> Iterator[FlaskClient]:
    """A browser without an account."""
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


@pytest.fixture
def claim_path(
    database: Database, settings: Settings, keys: Keys, catcher: Catcher, someone: Someone
) -> str:
    """The path of the claim link that was mailed to the force."""
    coordinator = someone("npcc/missing-persons", "adjudicator", "actual")
    with database.unit_of_work() as session:
        claims.invite(session, coordinator, keys, FORCE, MAILBOX, utcnow())
    post(database, settings, catcher, utcnow())
    (mail,) = letters(catcher)
    assert mail["To"] == MAILBOX
    return path_in(mail)


def _unit(database: Database, code: str) -> Unit:
    with database.unit_of_work() as session:
        unit = find_unit(session, code)
        assert unit is not None
        return unit


def _used(database: Database) -> int:
    with database.unit_of_work() as session:
        used = select(func.count()).where(DirectoryLink.used_at.is_not(None))
        return session.scalar(used) or 0


def _whom_to_call(database: Database, postcodes: Postcodes, text: str) -> Answer:
    reader = Reader(frozenset({"public", "professional", "police"}))
    here = Lookup(read(database, utcnow()), postcodes)
    found = here.answer(Asked(force=text), ("open-case",), reader, utcnow())
    assert isinstance(found, Answer)
    return found


def test_the_team_enters_its_contacts_and_names_an_editor(
    client: FlaskClient,
    claim_path: str,
    database: Database,
    settings: Settings,
    catcher: Catcher,
    postcodes: Postcodes,
) -> None:
    for _scanner in range(2):
        assert client.get(claim_path).status_code == 200
    assert _used(database) == 0
    unnamed = client.post(claim_path, data={"name": ""})
    assert unnamed.status_code == 422
    assert _used(database) == 0
    started = client.post(claim_path, data={"name": "Inspector Joan Tremayne"})
    assert started.status_code == 303
    again = client.get(claim_path)
    assert again.status_code == 410
    assert "used by Inspector Joan Tremayne" in again.text

    unit = _unit(database, FORCE)
    form = {
        f"{unit.id}.telephone": "01632 960301",
        f"{unit.id}.mailbox": MAILBOX,
        f"{unit.id}.hours": "Mon-Fri 08:00-18:00",
        f"{unit.id}.duty_inspector": "01632 960302",
        f"{unit.id}.switchboard": "not a number",
        "editors": "editor@devon-cornwall.example.org",
        "do": "finish",
    }
    wrong = client.post("/directory/claim", data=form)
    assert wrong.status_code == 422
    assert f'href="#{unit.id}-switchboard"' in wrong.text
    assert "01632 960301" in wrong.text
    for telephone in ("no number", ""):
        doubtful = {f"{unit.id}.hours": "Mon-Fri 8-6", f"{unit.id}.telephone": telephone}
        wrong = client.post("/directory/claim", data={**form, **doubtful})
        named = ["hours", "switchboard"] + (["telephone"] if telephone else [])
        assert all(f'href="#{unit.id}-{name}"' in wrong.text for name in named)
    done = client.post("/directory/claim", data={**form, f"{unit.id}.switchboard": "01632960300"})
    assert "4 contacts were saved" in done.text
    assert client.get("/directory/claim").status_code == 410

    found = _whom_to_call(database, postcodes, FORCE)
    ladder = found.ladders["open-case"]
    values = {rung.value: rung for rung in ladder.rungs}
    team = values["01632 960301"]
    assert (team.verification, team.verified_by) == ("verified", "Inspector Joan Tremayne")
    assert {"01632 960300", "01632 960302"} <= set(values)
    assert [rung.value for rung in ladder.write_to] == [MAILBOX]

    post(database, settings, catcher, utcnow())
    mail = letters(catcher)[-1]
    assert mail["To"] == "editor@devon-cornwall.example.org"
    path = path_in(mail)
    assert client.get(path).status_code == 200
    short = client.post(path, data={"name": "Alex Editor", "password": "short"})
    assert short.status_code == 422
    assert 'href="#password"' in short.text
    made = client.post(path, data={"name": "Alex Editor", "password": "three plain words"})
    assert made.status_code == 303
    with database.unit_of_work() as session:
        person = session.query(Person).filter_by(email="editor@devon-cornwall.example.org").one()
        membership = session.query(Membership).filter_by(person_id=person.id).one()
        assert (membership.role, membership.unit_id) == ("directory-editor", unit.id)


def test_a_tick_stands_for_what_was_seen_alone(
    client: FlaskClient, claim_path: str, database: Database, someone: Someone
) -> None:
    unit = _unit(database, FORCE)
    editor = someone(FORCE, "directory-editor", status="actual")
    given = ContactIn.model_validate(
        {"purpose": "coordinator", "channel": "telephone", "value": "01632 960303"}
    )
    with database.unit_of_work() as session:
        contact = editing.add_contact(session, editor, unit.id, given, why="x y", now=utcnow())
    client.post(claim_path, data={"name": "Inspector Joan Tremayne"})
    assert f'value="{contact.id}:1"' in client.get("/directory/claim").text
    with database.unit_of_work() as session:
        editing.change_contact(
            session, editor, contact.id, given.model_copy(update={"value": "01632 960304"}),
            version=1, why="it moved", now=utcnow(),
        )  # fmt: skip
    form = {"right": f"{contact.id}:1", "do": "save", f"{unit.id}.telephone": "01632 960301"}
    late = client.post("/directory/claim", data=form)
    assert late.status_code == 409
    assert "Something here was changed since you opened the page" in late.text
    assert 'value="01632 960301"' in late.text
    with database.unit_of_work() as session:
        numbers = session.scalars(
            select(ContactPoint.value).where(ContactPoint.verification == "verified")
        ).all()
        assert not {"01632 960301", "01632 960304"} & set(numbers)
    right = {**form, "right": f"{contact.id}:2"}
    assert client.post("/directory/claim", data=right).status_code == 303
    with database.unit_of_work() as session:
        kept = session.get_one(ContactPoint, contact.id)
        assert (kept.verification, kept.verified_by) == ("verified", "Inspector Joan Tremayne")


def test_the_team_enters_its_units_first(
    client: FlaskClient, claim_path: str, database: Database
) -> None:
    client.post(claim_path, data={"name": "Inspector Joan Tremayne"})
    asked = f"/directory/forces/{FORCE}/reorganise"
    assert "Enter your units" in client.get("/directory/claim").text
    snapshot = read(database, utcnow())
    districts = [
        a for a in snapshot.areas.values() if snapshot.organisations[a.force_id].code == FORCE
    ]
    plymouth = next(one for one in districts if one.name == "Plymouth")
    form = {
        "kind": "found",
        "effective_on": utcnow().date().isoformat(),
        "part-1": "Plymouth",
        f"area-{plymouth.id}": "1",
    }
    shown = client.post(asked, data={**form, "do": "preview"})
    assert "the force as a whole" in shown.text
    done = client.post(asked, data={**form, "do": "carry-out", "why": "our units"})
    assert done.headers["Location"] == "/directory/claim"
    unit = _unit(database, f"{FORCE}/plymouth")
    page = client.get("/directory/claim")
    assert f"{unit.id}.telephone" in page.text
    client.post("/directory/claim", data={f"{unit.id}.telephone": "01632 960311", "do": "save"})
    snapshot = read(database, utcnow())
    assert snapshot.bcu_of(plymouth) == snapshot.units[unit.id]
    assert [c.value for c in snapshot.contacts[unit.id]] == ["01632 960311"]
    others = [one for one in districts if one.id != plymouth.id]
    assert all(snapshot.bcu_of(one) is None for one in others)
    elsewhere = client.get("/directory/forces/kent/reorganise")
    assert elsewhere.status_code == 302


def test_a_newer_link_ends_the_older_and_a_link_runs_out(
    client: FlaskClient, claim_path: str, database: Database, keys: Keys, someone: Someone
) -> None:
    coordinator = someone("npcc/missing-persons", "adjudicator", "actual")
    with database.unit_of_work() as session:
        newer = claims.invite(session, coordinator, keys, FORCE, MAILBOX, utcnow())
        token = links.token(keys, newer.id)
    assert client.get(claim_path).status_code == 410
    assert client.get(f"/directory/claim/{token}").status_code == 200
    with database.unit_of_work() as session, pytest.raises(HubError) as caught:
        links.find(session, token, "claim", utcnow() + timedelta(days=31))
    assert caught.value.code == "link-gone"
    assert client.get("/directory/claim/" + "x" * 43).status_code == 410


def test_what_is_there_already_is_confirmed_by_typing_or_ticking_it(
    client: FlaskClient, claim_path: str, database: Database
) -> None:
    unit = _unit(database, FORCE)
    with database.unit_of_work() as session:
        contacts = {
            value: ContactPoint(
                unit_id=unit.id, purpose=purpose, channel="telephone", value=value,
                audience="professional", priority=100, valid_from=utcnow().date(), source="a list",
                source_date="2026", verification="unverified",
            )
            for value, purpose in (
                ("01632 960321", "missing-children-team"), ("01632 960322", "control-room"),
            )
        }  # fmt: skip
        session.add_all(contacts.values())
        session.flush()
        ticked = contacts["01632 960322"].id
    client.post(claim_path, data={"name": "PS Pat Penrose"})
    client.post(
        "/directory/claim",
        data={f"{unit.id}.telephone": "01632 960321", "right": f"{ticked}:1", "do": "save"},
    )
    there = {one.value: one for one in read(database, utcnow()).contacts[unit.id]}
    for value in contacts:
        assert there[value].verified_by == "PS Pat Penrose"


def test_a_claim_opens_nobody_elses_units(
    client: FlaskClient, claim_path: str, database: Database
) -> None:
    client.post(claim_path, data={"name": "PS Pat Penrose"})
    kent = _unit(database, "kent")
    refused = client.post(
        "/directory/claim", data={f"{kent.id}.telephone": "01632 960321", "do": "save"}
    )
    assert refused.status_code == 403


def test_who_is_signed_in_claims_by_the_link_all_the_same(
    client: FlaskClient, claim_path: str, someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = someone(FORCE, "officer", "actual")
    monkeypatch.setattr("hub.web.guards.from_cookie", lambda: officer)
    started = client.post(claim_path, data={"name": "PS Pat Penrose"})
    assert started.headers["Location"] == "/directory/claim"
    page = client.get("/directory/claim")
    assert page.status_code == 200
    assert "PS Pat Penrose" in page.text
    assert client.get(f"/directory/forces/{FORCE}/reorganise").status_code == 200


def test_many_are_invited_by_a_file_or_none(
    database: Database, keys: Keys, someone: Someone
) -> None:
    coordinator = someone("npcc/missing-persons", "adjudicator", "actual")
    rows = f"organisation,address\n{FORCE},{MAILBOX}\nEssex Police,missing@essex.example.org\n"
    with database.unit_of_work() as session:
        found = claims.invite_all(session, coordinator, keys, rows, utcnow())
    assert [one.organisation.code for one in found] == [FORCE, "essex"]
    bad = rows + "Nowhere Police,a@example.org\nkent,no address\nkent\n"
    with database.unit_of_work() as session, pytest.raises(HubError) as caught:
        claims.invite_all(session, coordinator, keys, bad, utcnow())
    assert [one.sentence[:7] for one in caught.value.fields] == ["Line 3:", "Line 4:", "Line 5:"]
    with database.unit_of_work() as session:
        assert session.scalar(select(func.count(DirectoryLink.id))) == 2
        editor = someone("kent", "directory-editor", "actual")
        with pytest.raises(HubError) as caught:
            claims.invite(session, editor, keys, FORCE, MAILBOX, utcnow())
        assert caught.value.status == 403


def test_an_exercise_invites_and_enters_for_itself_alone(
    client: FlaskClient, database: Database, settings: Settings, keys: Keys, catcher: Catcher,
    someone: Someone,
) -> None:  # fmt: skip
    coordinator = someone("npcc/missing-persons", "adjudicator", "exercise")
    with database.unit_of_work() as session:
        claims.invite(session, coordinator, keys, FORCE, MAILBOX, utcnow())
    post(database, settings, catcher, utcnow())
    (mail,) = letters(catcher)
    assert mail["Subject"].strip().startswith("EXERCISE ")
    path = path_in(mail)
    assert "EXERCISE EXERCISE EXERCISE" in client.get(path).text
    client.post(path, data={"name": "EXERCISE Inspector"})
    unit = _unit(database, FORCE)
    client.post("/directory/claim", data={f"{unit.id}.telephone": "01632 960301", "do": "save"})
    (contact,) = (
        one for one in read(database, utcnow()).contacts[unit.id] if one.value == "01632 960301"
    )
    assert contact.status == "exercise"
    form = {"kind": "found", "part-1": "Plymouth", "effective_on": utcnow().date().isoformat()}
    refused = client.post(
        f"/directory/forces/{FORCE}/reorganise", data={**form, "do": "carry-out", "why": "try it"}
    )
    assert refused.status_code == 409
    assert "does not change the units of the real directory" in refused.text
    with database.unit_of_work() as session:
        assert find_unit(session, f"{FORCE}/plymouth") is None


def test_a_councils_teams_are_entered_as_what_they_are(
    client: FlaskClient, database: Database, keys: Keys
) -> None:
    with database.unit_of_work() as session:
        council = find_organisation(session, "E09000019")
        assert council is not None
        link = links.issue(
            session, keys, purpose="claim", organisation_id=council.id,
            address="edt@islington.example.org", sent_by="the coordinator", now=utcnow(),
        )  # fmt: skip
        token = links.token(keys, link.id)
    client.post(f"/directory/claim/{token}", data={"name": "Priya Nandra"})
    edt = _unit(database, "E09000019/edt")
    client.post("/directory/claim", data={f"{edt.id}.telephone": "020 7946 0202", "do": "save"})
    (contact,) = read(database, utcnow()).contacts[edt.id]
    assert (contact.purpose, contact.audience) == ("edt", "public")


def test_everything_is_on_record(client: FlaskClient, claim_path: str, database: Database) -> None:
    client.post(claim_path, data={"name": "PS Pat Penrose"})
    with database.unit_of_work() as session:
        actions = set(session.scalars(select(AuditRecord.action)))
    assert {"directory.invited", "directory.claim-link-used"} <= actions
