"""Each quarter a unit is asked by mail; who does not answer is asked again, then its administrators."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from directory import links, nation, problems, reminding, verifying
from directory.actors import ask_for_reminders, remind
from directory.editing import add_contact
from directory.entry_contracts import ContactIn
from directory.model import ContactPoint, DirectoryLink
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity import people
from hub.identity.model import Person
from hub.jobs.model import OutboxJob
from hub.organisations import Unit, find_unit
from hub.post.catcher import Catcher
from hub.records import audit
from hub.records.keys import Keys
from hub.settings import Settings
from tests.conftest import Someone
from tests.directories import read
from tests.letters import letters, path_in, post

EVERY = timedelta(days=90)
TEAM = "kent/east/missing-children-team"
MAILBOX = "missing.east@kent.example.org"
PASSWORD = "three plain words"
START = datetime(2027, 1, 4, 9, tzinfo=UTC)


def _contact(
    database: Database, value: str, at: datetime | None = START, code: str = TEAM,
    status: str = "actual",
) -> UUID:  # fmt: skip
    with database.unit_of_work() as session:
        unit = find_unit(session, code)
        assert unit is not None
        contact = ContactPoint(
            unit_id=unit.id, purpose="missing-children-team", value=value, status=status,
            channel="email" if "@" in value else "telephone", audience="professional",
            valid_from=datetime(2026, 1, 1, tzinfo=UTC).date(), source="the team",
            source_date="2026", verification="verified" if at else "unverified",
            verified_at=at, verified_by="PS Verifier" if at else None,
        )  # fmt: skip
        session.add(contact)
        session.flush()
        return contact.id


def _links(database: Database) -> list[DirectoryLink]:
    with database.unit_of_work() as session:
        return list(session.scalars(select(DirectoryLink).order_by(DirectoryLink.id)))


def _remind(database: Database, keys: Keys, now: datetime) -> int:
    with database.unit_of_work() as session:
        return verifying.remind(session, keys, now, EVERY)


def _address(database: Database, person_id: object) -> str:
    with database.unit_of_work() as session:
        return session.get_one(Person, person_id).email


@pytest.fixture
def client(settings: Settings, keys: Keys) -> Iterator[FlaskClient]:
    app = create_app(settings, keys=keys)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as client:
        yield client
    app.extensions["hub"].database.dispose()
    app.extensions["hub"].redis.close()


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    with Catcher(tmp_path / "mail") as running:
        yield running


def test_a_year_without_an_answer(database: Database, keys: Keys, someone: Someone) -> None:
    _contact(database, MAILBOX)
    _contact(database, "01632 960211")
    with database.unit_of_work() as session:
        people = [
            someone("kent", role, "actual").id for role in ("administrator", "directory-editor")
        ]
        session.execute(
            Person.__table__.update().values(created_at=START - timedelta(days=1))  # type: ignore[attr-defined]
        )
    with database.unit_of_work() as session:
        session.connection().exec_driver_sql(
            "UPDATE membership SET valid_from = '2026-01-01T00:00:00Z'"
        )
    for hours in range(0, 365 * 24, 12):
        _remind(database, keys, START + timedelta(hours=hours))
    sent = _links(database)
    days = [(link.created_at - START).total_seconds() / 86400 for link in sent]
    assert days == [76, 83, 90, 97, 97]
    assert [link.days_left for link in sent] == [14, 7, 0, -7, -7]
    assert [link.address for link in sent[:3]] == [MAILBOX] * 3
    assert {link.address for link in sent[3:]} == {_address(database, one) for one in people}
    kent = nation.force_state(
        read(database, START + timedelta(days=100)),
        next(
            one for one in read(database, START).organisations.values() if one.code == "kent"
        ),
        START + timedelta(days=100),
    )  # fmt: skip
    east = next(one for one in kent.units if one.unit.code == "kent/east")
    assert (east.state, east.overdue) == ("overdue", 2)


def test_a_year_of_answers(database: Database, keys: Keys) -> None:
    _contact(database, MAILBOX)
    asked = 0
    for day in range(365):
        now = START + timedelta(days=day)
        asked += _remind(database, keys, now)
        with database.unit_of_work() as session:
            for link in session.scalars(
                select(DirectoryLink).where(
                    DirectoryLink.used_at.is_(None), DirectoryLink.revoked_at.is_(None)
                )
            ).all():
                guest = links.guest(session, link, "PS Pat Penrose")
                links.use(session, link, guest, now)
                session.query(ContactPoint).filter_by(unit_id=link.unit_id).update(
                    {"verified_at": now}
                )
    assert asked == 4  # every 76 days: the first reminder is answered at once


def test_what_nobody_vouched_for_is_asked_about_too(
    database: Database, keys: Keys, someone: Someone
) -> None:
    """A number that an editor changed without saying that it works is not left for ever."""
    editor = someone("kent", "directory-editor", "actual")
    with database.unit_of_work() as session:
        unit = find_unit(session, TEAM)
        assert unit is not None
        given = ContactIn(
            purpose="missing-children-team", channel="telephone", value="01632 960211"
        )
        add_contact(session, editor, unit.id, given, why="the team has moved", now=START)
    assert _remind(database, keys, START + EVERY - timedelta(days=15)) == 0
    assert _remind(database, keys, START + EVERY - timedelta(days=14)) == 1


def test_a_reminder_is_sent_once_however_often_the_scheduler_asks(
    database: Database, keys: Keys, settings: Settings
) -> None:
    _contact(database, MAILBOX)
    due = START + EVERY - timedelta(days=14)
    for minutes in (0, 1, 30, 59):
        with database.unit_of_work() as session:
            ask_for_reminders(session, due + timedelta(minutes=minutes))
    with database.unit_of_work() as session:
        (job,) = session.scalars(select(OutboxJob)).all()
        assert job.kind == "directory-reminders"
    assert [_remind(database, keys, due) for _ in range(3)] == [1, 0, 0]
    assert callable(remind)
    assert settings.verify_every == EVERY


def test_who_has_no_mailbox_is_asked_at_the_nearest_one_above(
    database: Database, keys: Keys
) -> None:
    _contact(database, "01632 960211")
    _contact(database, "missing@kent.example.org", code="kent/missing-children-team", at=None)
    assert _remind(database, keys, START + EVERY) == 1
    (link,) = _links(database)
    assert link.address == "missing@kent.example.org"
    with database.unit_of_work() as session:
        assert link.unit_id is not None
        assert session.get_one(Unit, link.unit_id).code == TEAM


def test_one_click_confirms_and_a_look_changes_nothing(
    client: FlaskClient, database: Database, settings: Settings, keys: Keys, catcher: Catcher
) -> None:
    long_ago = utcnow() - EVERY
    _contact(database, MAILBOX, long_ago)
    _contact(database, "01632 960211", long_ago)
    _contact(database, "01632 960212", long_ago, "kent/north/missing-children-team")
    _remind(database, keys, utcnow())
    post(database, settings, catcher, utcnow())
    mail = next(one for one in letters(catcher) if one["To"] == MAILBOX)
    assert "due now" in mail.get_content()
    path = path_in(mail)
    for _scanner in range(2):
        shown = client.get(path)
        assert shown.status_code == 200
        assert "no-store" in shown.headers["Cache-Control"]
    assert "01632 960211" in shown.text
    assert "01632 960212" not in shown.text
    assert client.post(path, data={"do": "right", "name": " "}).status_code == 422
    seen = re.findall(r'name="seen" value="([^"]+)"', shown.text)
    assert len(seen) == 2
    _contact(database, "01632 960213")
    unseen = client.post(path, data={"do": "right", "name": "PS Pat Penrose", "seen": seen})
    assert unseen.status_code == 409
    assert "01632 960213" in unseen.text
    assert "Look at it again" in unseen.text
    seen = re.findall(r'name="seen" value="([^"]+)"', unseen.text)
    done = client.post(path, data={"do": "right", "name": "PS Pat Penrose", "seen": seen})
    assert "PS Pat Penrose confirmed these contacts" in done.text
    again = client.post(path, data={"do": "right", "name": "Somebody Else"})
    assert again.status_code == 410
    with database.unit_of_work() as session:
        unit = find_unit(session, TEAM)
        assert unit is not None
        for one in read(database, utcnow()).contacts[unit.id]:
            assert one.verified_by == "PS Pat Penrose"
            assert one.verified_at is not None
            assert utcnow() - one.verified_at < timedelta(minutes=5)


def test_who_is_asked_sees_what_readers_reported(
    client: FlaskClient, database: Database, keys: Keys, someone: Someone
) -> None:
    _contact(database, MAILBOX, utcnow() - EVERY)
    number = _contact(database, "01632 960211", utcnow() - EVERY)
    reader = someone("E09000019/childrens-social-care", "practitioner", "actual")
    with database.unit_of_work() as session:
        problems.report(session, reader, number, kind="rang-out", note="", now=utcnow())
    _remind(database, keys, utcnow())
    (link,) = _links(database)
    shown = client.get(f"/directory/verify/{links.token(keys, link.id)}")
    assert shown.text.count("1 person reported this today.") == 1


def test_correct_this_opens_that_unit_and_no_other(
    client: FlaskClient, database: Database, keys: Keys
) -> None:
    _contact(database, MAILBOX, utcnow() - EVERY)
    _remind(database, keys, utcnow())
    (link,) = _links(database)
    reply = client.post(
        f"/directory/verify/{links.token(keys, link.id)}",
        data={"do": "correct", "name": "PS Pat Penrose"},
    )
    assert reply.headers["Location"] == f"/directory/units/{link.unit_id}/edit"
    with database.unit_of_work() as session:
        other = find_unit(session, "kent/north")
        assert other is not None
    form = {"purpose": "duty-inspector", "channel": "telephone", "value": "01632 960299",
            "audience": "police", "bank_holiday_rule": "as-weekday", "do": "save",
            "why": "corrected"}  # fmt: skip
    assert client.post(f"/directory/units/{other.id}/contacts/new", data=form).status_code == 401
    assert client.get("/directory/forces/kent/reorganise").status_code == 302
    own = client.post(f"/directory/units/{link.unit_id}/contacts/new", data=form)
    assert own.status_code == 303
    with database.unit_of_work() as session:
        (contact,) = session.scalars(
            select(ContactPoint).where(ContactPoint.value == "01632 960299")
        ).all()
        assert contact.edited_by == "PS Pat Penrose"


def test_who_reads_on_the_hub_corrects_by_link_and_sees_no_more_by_it_than_anybody(
    client: FlaskClient, database: Database, keys: Keys
) -> None:
    """Signed in without a right to edit, or not at all: the link opens its unit, and that alone."""
    _contact(database, MAILBOX, utcnow() - EVERY)
    _contact(database, "01632 960212", code="kent/north/missing-children-team")
    _remind(database, keys, utcnow())
    (link,) = _links(database)
    with database.unit_of_work() as session:
        other = find_unit(session, "kent/north/missing-children-team")
        assert other is not None
        people.add_person_with_membership(
            session, audit.Who("system", name="test"), email="pc@met.example.org",
            name="PC Reader", organisation="metropolitan", unit="metropolitan/central-north",
            role="officer", status="actual", password=PASSWORD, now=utcnow(),
        )  # fmt: skip
    answer = {"do": "correct", "name": "PS Pat Penrose"}
    path = f"/directory/verify/{links.token(keys, link.id)}"
    opened = client.post("/sign-in", data={"email": "pc@met.example.org", "password": PASSWORD})
    assert opened.status_code in (302, 303)
    edit = client.post(path, data=answer).headers["Location"]
    assert "You change this as PS Pat Penrose" in client.get(edit).text
    assert client.get(f"/directory/units/{other.id}/edit").status_code == 403
    client.post("/sign-out")
    assert client.get(edit).status_code == 302
    with database.unit_of_work() as session:
        unit = find_unit(session, TEAM)
        assert unit is not None
        assert verifying.ask(session, keys, unit, "the hub", utcnow()) == 1
    (newer,) = (one for one in _links(database) if one.used_at is None)
    client.post(f"/directory/verify/{links.token(keys, newer.id)}", data=answer)
    assert client.get(edit).status_code == 200
    assert "01632 960212" not in client.get(f"/directory/units/{other.id}").text
    assert client.get(f"/directory/units/{other.id}/history").status_code == 302


def test_a_link_expires_and_the_first_answer_ends_the_others(
    database: Database, keys: Keys, someone: Someone
) -> None:
    _contact(database, "01632 960211")
    for role in ("administrator", "directory-editor"):
        someone("kent", role, "actual")
    now = utcnow()
    with database.unit_of_work() as session:
        unit = find_unit(session, TEAM)
        assert unit is not None
        assert verifying.ask_administrators(session, keys, unit, now) == 2
    one, other = _links(database)
    with database.unit_of_work() as session:
        held = links.find(session, links.token(keys, one.id), "verify", now, hold=True)
        links.use(session, held, links.guest(session, held, "PS Pat Penrose"), now)
    for link, code in ((one, "used by"), (other, "somebody else has answered")):
        with database.unit_of_work() as session, pytest.raises(HubError) as caught:
            links.find(session, links.token(keys, link.id), "verify", now)
        assert code in caught.value.sentence
    with database.unit_of_work() as session:
        assert verifying.ask_administrators(session, keys, unit, now) == 2
        late = session.scalars(
            select(DirectoryLink).where(DirectoryLink.revoked_at.is_(None))
            .where(DirectoryLink.used_at.is_(None))
        ).first()  # fmt: skip
        assert late is not None
        with pytest.raises(HubError):
            links.find(session, links.token(keys, late.id), "verify", now + timedelta(days=22))


def test_one_click_of_the_coordinator_asks_every_unit_that_lacks_an_answer(
    database: Database, keys: Keys, someone: Someone
) -> None:
    now = utcnow()
    _contact(database, MAILBOX, now - timedelta(days=100))
    _contact(database, "01632 960212", None, "kent/north/missing-children-team")
    _contact(database, "missing@kent.example.org", now, "kent/missing-children-team")
    snapshot = read(database, now)
    kent = snapshot.organisation_by_code["kent"]
    state = nation.force_state(snapshot, kent, now)
    asked = {unit.id for one in state.units for unit in one.to_ask}
    coordinator = someone("npcc/missing-persons", "adjudicator", "actual")
    exercise = someone("npcc/missing-persons", "adjudicator", "exercise")
    editor = someone("kent", "directory-editor", "actual")
    with database.unit_of_work() as session:
        with pytest.raises(HubError):
            reminding.remind(session, editor, keys, kent.id, asked, now, lacks=True)
        assert reminding.remind(session, exercise, keys, kent.id, asked, now, lacks=True) == 0
        sent = reminding.remind(session, coordinator, keys, kent.id, asked, now, lacks=True)
        assert sent == len(asked)
        assert set(verifying.asked_last(session, frozenset(asked), "actual")) == asked
        assert verifying.asked_last(session, frozenset(asked), "exercise") == {}
    assert {MAILBOX, "missing@kent.example.org"} == {link.address for link in _links(database)}


def test_a_force_that_confirmed_what_it_gave_is_asked_for_the_rest_alone(
    database: Database, keys: Keys, someone: Someone
) -> None:
    now = utcnow()
    _contact(database, "missing@kent.example.org", now, "kent/missing-children-team")
    kent = read(database, now).organisation_by_code["kent"]
    coordinator = someone("npcc/missing-persons", "adjudicator", "actual")
    with database.unit_of_work() as session:
        assert reminding.remind(session, coordinator, keys, kent.id, (), now, lacks=False) == 0
        assert reminding.remind(session, coordinator, keys, kent.id, (), now, lacks=True) == 1
    assert [(one.purpose, one.address) for one in _links(database)] == [
        ("claim", "missing@kent.example.org")
    ]
