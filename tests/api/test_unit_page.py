"""The pages on which a unit's entry is kept, reported and suggested to, as they are sent."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from directory.editing import add_contact
from directory.entry_contracts import ContactIn
from directory.mailboxes import verified_mailbox
from directory.model import ContactPoint
from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import find_unit
from tests.conftest import Someone

FORM = {
    "purpose": "missing-children-team",
    "channel": "telephone",
    "value": "01632 960001",
    "audience": "professional",
    "priority": "100",
    "hours": "",
    "bank_holiday_rule": "as-weekday",
    "exceptions": "",
    "note": "",
    "why": "the team has moved",
    "do": "save",
}


@pytest.fixture
def address(database: Database) -> str:
    with database.unit_of_work() as session:
        unit = find_unit(session, "kent/east")
        assert unit is not None
        return f"/directory/units/{unit.id}"


@pytest.fixture
def listed(database: Database, someone: Someone) -> Callable[..., str]:
    """Return a function that puts a contact of East Kent on record, and gives its id."""

    def put(value: str = "01632 960001", status: str = "actual", channel: str = "telephone") -> str:
        actor = someone("kent", "directory-editor", status=status)
        with database.unit_of_work() as session:
            unit = find_unit(session, "kent/east")
            assert unit is not None
            given = ContactIn.model_validate(
                {"purpose": "missing-children-team", "channel": channel, "value": value}
            )
            contact = add_contact(
                session, actor, unit.id, given, why="the team was set up", now=utcnow(),
                checked=True,
            )  # fmt: skip
            return str(contact.id)

    return put


def said(reply: TestResponse) -> str:
    """Return what a page says, without its marks."""
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", reply.text)).split())
    return re.sub(r" ([,.])", r"\1", words)


def test_an_editor_adds_a_mailbox_and_proves_it(
    client: FlaskClient, acting: list[Actor], address: str, database: Database, someone: Someone
) -> None:
    acting.append(someone("kent", "directory-editor"))
    form = FORM | {"channel": "email", "value": "no address"}
    wrong = client.post(f"{address}/contacts/new", data=form)
    assert wrong.status_code == 422
    assert 'href="#value"' in wrong.text
    assert 'value="no address"' in wrong.text
    form["value"] = "east.missing@example.org"
    added = client.post(f"{address}/contacts/new", data=form, follow_redirects=True)
    assert "The contact is on record." in said(added)
    assert "Unverified." in said(added)
    with database.unit_of_work() as session:
        contact = session.query(ContactPoint).filter_by(value="east.missing@example.org").one()
        there, unit_id = f"{address}/mailboxes/{contact.id}", contact.unit_id
    wrong = client.post(there, data={"spoke_to": "Sergeant EXERCISE", "number_rung": "?"})
    assert wrong.status_code == 422
    assert f'href="#number_rung-{contact.id}"' in wrong.text
    assert wrong.text.count(f'id="number_rung-{contact.id}"') == 1
    assert 'value="Sergeant EXERCISE"' in wrong.text
    proved = client.post(
        there,
        data={"spoke_to": "Sergeant EXERCISE", "number_rung": "01632 960001"},
        follow_redirects=True,
    )
    assert "verified by call-back" in said(proved)
    assert f"by {acting[-1].name}" in said(proved)
    with database.unit_of_work() as session:
        found = verified_mailbox(session, unit_id, "exercise")
        assert found is not None
        assert found.address == "east.missing@example.org"


def test_nobody_else_has_the_forms_or_may_send_them(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone
) -> None:
    for actor in (
        someone("kent", "officer"),
        someone("surrey", "directory-editor"),
        someone("kent", "practitioner"),
    ):
        acting.append(actor)
        assert "Keep this entry" not in client.get(address).text
        assert client.get(f"{address}/edit").status_code == 403
        for do in ("save", "preview"):
            sent = client.post(f"{address}/contacts/new", data=FORM | {"do": do})
            assert sent.status_code == 403
    acting.append(PUBLIC)
    assert "Keep this entry" not in client.get(address).text
    for page in ("edit", "history", "contacts/new", "suggest"):
        assert "/sign-in?next=" in client.get(f"{address}/{page}").headers["Location"]
    assert client.post(f"{address}/contacts/new", data=FORM).status_code == 401


def test_a_save_without_a_reason_keeps_what_was_typed(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone
) -> None:
    acting.append(someone("kent", "directory-editor"))
    wrong = client.post(f"{address}/contacts/new", data=FORM | {"why": "", "note": "ask for duty"})
    assert wrong.status_code == 422
    assert 'href="#why"' in wrong.text
    assert 'value="ask for duty"' in wrong.text


def test_one_persons_number_is_listed_once_the_editor_insists(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone
) -> None:
    acting.append(someone("kent", "directory-editor"))
    form = FORM | {"value": "07700 900123"}
    doubted = client.post(f"{address}/contacts/new", data=form)
    assert doubted.status_code == 422
    assert "07700 900123 is a mobile number." in said(doubted)
    kept = client.post(
        f"{address}/contacts/new", data=form | {"sure": "yes"}, follow_redirects=True
    )
    assert "The contact is on record." in said(kept)


def test_the_preview_follows_what_is_typed_and_saves_nothing(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone, database: Database
) -> None:
    acting.append(someone("kent", "directory-editor", status="actual"))
    form = FORM | {"do": "preview", "checked": "yes", "hours": "Sun 09:00-17:00", "why": ""}
    seen = client.post(f"{address}/contacts/new", data=form, headers={"X-Fragment": "preview"})
    assert seen.status_code == 200
    assert "<html" not in seen.text
    assert "Sunday 09:00 to 17:00" in said(seen)
    parts = re.split(r"Tonight at 03:00|On Sunday at noon|On the next bank holiday", said(seen))
    assert "About a case: 101 (everybody)" in parts[1]
    assert "This contact: closed, opens Sunday" in parts[1]
    assert "About a case: 101 (Anyone), 01632 960001 (Professionals)" in parts[2]
    unchecked = client.post(
        f"{address}/contacts/new", data={k: v for k, v in form.items() if k != "checked"}
    )
    assert "<html" in unchecked.text
    assert "01632 960001 (Professionals)" not in said(unchecked)  # unverified: 101 first
    unread = client.post(
        f"{address}/contacts/new", data=form | {"hours": "often"}, headers={"X-Fragment": "preview"}
    )
    assert "cannot be read yet" in said(unread)
    with database.unit_of_work() as session:
        assert session.query(ContactPoint).filter_by(value="01632 960001").count() == 0


def test_the_second_editor_sees_both_versions_and_chooses(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone,
    listed: Callable[..., str], database: Database,
) -> None:  # fmt: skip
    there = f"{address}/contacts/{listed()}"
    acting.append(someone("kent", "directory-editor", status="actual", name="First Editor"))
    first = FORM | {"version": "1", "value": "01632 960002", "note": "ask for the sergeant"}
    assert client.post(there, data=first).status_code == 303
    acting.append(someone("kent", "directory-editor", status="actual"))
    mine = FORM | {"version": "1", "value": "01632 960003"}
    both = client.post(there, data=mine)
    assert both.status_code == 409
    assert "First Editor changed this while you did" in said(both)
    assert "Number or address 01632 960002 01632 960003" in said(both)
    assert "Note ask for the sergeant nothing" in said(both)
    assert 'value="01632 960003"' in both.text  # mine, where both changed it
    assert 'value="ask for the sergeant"' in both.text  # theirs, where I did not
    with database.unit_of_work() as session:
        assert session.query(ContactPoint).filter_by(value="01632 960002").count() == 1
    again = mine | {"version": "2", "note": "ask for the sergeant"}
    assert client.post(there, data=again).status_code == 303
    assert client.post(there, data={**FORM, "do": "close"}).status_code == 409  # of no version
    closing = client.post(there, data=FORM | {"version": "3", "do": "close"})
    assert closing.status_code == 303
    late = client.post(there, data=again)
    assert late.status_code == 409
    assert "closed this contact while you changed it" in said(late)
    assert 'value="01632 960003"' in late.text


def test_the_history_shows_differences_and_a_change_is_put_back(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone,
    listed: Callable[..., str],
) -> None:  # fmt: skip
    there = f"{address}/contacts/{listed()}"
    acting.append(someone("kent", "directory-editor", status="actual"))
    client.post(there, data=FORM | {"version": "1", "value": "01632 960002"})
    history = client.get(f"{address}/history")
    assert f"{acting[-1].name}: “the team has moved”" in said(history)
    assert "Number or address 01632 960001 01632 960002" in said(history)
    found = re.search(r"history/(\d+)/revert", history.text)
    assert found is not None
    back = f"{address}/history/{found[1]}/revert"
    silent = client.post(back, data={"version": "2", "why": ""})
    assert silent.status_code == 422
    assert f'href="#why-{found[1]}"' in silent.text
    done = client.post(
        back, data={"version": "2", "why": "it was a mistake"}, follow_redirects=True
    )
    assert "It is put back." in said(done)
    assert "01632 960001" in said(done)
    assert "“it was a mistake”" in said(client.get(f"{address}/history"))
    assert client.get(f"{address}/history?before=99999999999999999999").status_code == 200


def test_readers_see_the_history_of_what_they_may_see(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone,
    listed: Callable[..., str],
) -> None:  # fmt: skip
    listed("01632 960001")
    listed("01632 960005", "exercise")
    acting.append(someone("surrey", "practitioner", status="actual"))
    history = client.get(f"{address}/history")
    assert "01632 960001" in history.text
    assert "01632 960005" not in history.text
    assert "Put back" not in history.text


def test_names_are_kept_and_what_is_wrong_is_said_at_its_field(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone
) -> None:
    acting.append(someone("kent", "directory-editor", status="actual"))
    form = {
        "version": "1", "kind_label": "division", "name_welsh": "", "why": "what people say",
        "other_names": "Thanet\r\nMargate",
    }  # fmt: skip
    wrong = client.post(f"{address}/names", data=form | {"kind_label": "x"})
    assert wrong.status_code == 422
    assert 'href="#kind_label"' in wrong.text
    silent = client.post(f"{address}/names", data=form | {"why": ""})
    assert 'href="#names-why"' in silent.text
    assert "Thanet\nMargate" in silent.text.replace("\r", "")
    saved = client.post(f"{address}/names", data=form, follow_redirects=True)
    assert "The names are saved." in said(saved)
    assert "Also called Thanet, Margate." in said(client.get(address))
    late = client.post(f"{address}/names", data=form | {"other_names": "Canterbury"})
    assert late.status_code == 409
    assert "Other names. On record now: Thanet Margate. Yours: Canterbury." in said(late)


def test_a_report_is_two_steps_and_its_answer_takes_the_badge_away(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone,
    listed: Callable[..., str],
) -> None:  # fmt: skip
    contact = listed()
    worker = someone("E09000019/childrens-social-care", "practitioner", status="actual")
    acting.append(worker)
    shown = client.get("/?q=kent/east")
    assert f"/directory/contacts/{contact}/report" in shown.text
    unanswered = client.post(f"/directory/contacts/{contact}/report", data={})
    assert unanswered.status_code == 422
    assert 'href="#kind"' in unanswered.text
    form = {"kind": "rang-out", "value": "01632 960001", "note": "twice"}
    done = client.post(f"/directory/contacts/{contact}/report", data=form, follow_redirects=True)
    assert "1 person reported this today." in said(done)
    assert "1 person reported this today." in said(client.get("/?q=kent/east"))
    repeat = client.post(f"/directory/contacts/{contact}/report", data=form)
    assert repeat.status_code == 409
    assert "You have reported this contact already" in said(repeat)
    acting.append(someone("kent", "directory-editor", status="actual"))
    tasks = client.get("/directory/tasks")
    assert "Directory tasks (1)" in said(tasks)
    assert f"“twice”. {worker.name}" in said(tasks)
    client.post(f"{address}/reported/{contact}", data={"answer": "works", "back": "tasks"})
    assert "Directory tasks (1)" not in said(client.get("/directory/tasks"))
    assert "reported this" not in said(client.get(address))


def test_a_reader_of_the_public_tier_reports_nothing(
    client: FlaskClient, acting: list[Actor], listed: Callable[..., str]
) -> None:
    contact = listed()
    acting.append(PUBLIC)
    assert "is wrong" not in client.get("/?q=kent/east").text
    assert "/sign-in" in client.get(f"/directory/contacts/{contact}/report").headers["Location"]


def test_a_suggestion_is_said_to_be_one_and_taken_or_refused(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone, database: Database
) -> None:
    worker = someone("E09000019/childrens-social-care", "practitioner", status="actual")
    editor = someone("kent", "directory-editor", status="actual")
    for number, (do, outcome) in enumerate((("take", "is taken"), ("refuse", "refused"))):
        acting.append(worker)
        form = FORM | {"value": f"01632 96000{number}"}
        public = client.post(f"{address}/suggest", data=form | {"audience": "public"})
        assert public.status_code == 422
        shown = client.post(f"{address}/suggest", data=form, follow_redirects=True)
        assert "Suggested, unverified. Suggested by" in said(shown)
        with database.unit_of_work() as session:
            contact = session.query(ContactPoint).filter_by(value=form["value"]).one()
        acting.append(editor)
        assert form["value"] in said(client.get("/directory/tasks"))
        done = client.post(
            f"{address}/suggestions/{contact.id}", data={"do": do, "version": "1"},
            follow_redirects=True,
        )  # fmt: skip
        assert outcome in said(done)
        assert "Suggested" not in said(client.get(address))
        late = client.post(f"{address}/suggestions/{contact.id}", data={"do": do, "version": "1"})
        assert late.status_code == 409


def test_an_editor_of_the_exercise_sees_contacts_of_the_exercise_alone(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone,
    listed: Callable[..., str],
) -> None:  # fmt: skip
    contact = listed("01632 960001")
    acting.append(someone("kent", "directory-editor"))
    assert "01632 960001" not in re.sub(
        r"<section class=\"dir-preview.*", "", client.get(f"{address}/edit").text, flags=re.DOTALL
    )
    assert client.get(f"{address}/contacts/{contact}").status_code == 404
    assert client.get(f"/directory/contacts/{contact}/report").status_code == 404


def test_what_a_page_shows_can_be_taken_away_and_brought_in_by_who_keeps_it(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone
) -> None:
    pages = (address, "/directory/forces/kent", "/directory/forces", "/directory/tasks")
    found = {}
    acting.append(PUBLIC)
    for one in pages[:3]:
        for link in re.findall(r'href="([^"]+\.(?:pdf|vcf|csv|json))"', client.get(one).text):
            found[link] = client.get(link).status_code
    assert len(found) == 12
    assert set(found.values()) == {200}
    spreadsheet = 'href="/directory/exchange"'
    assert spreadsheet not in client.get(pages[1]).text
    acting.append(someone("essex", "directory-editor", "actual"))
    assert spreadsheet not in client.get(pages[1]).text
    acting.append(someone("kent", "directory-editor", "actual"))
    for one in (pages[1], pages[3]):
        assert spreadsheet in client.get(one).text
    assert client.get("/directory/exchange").status_code == 200


def test_an_editor_vouches_for_nothing_that_came_after_the_page(
    client: FlaskClient, acting: list[Actor], address: str, someone: Someone,
    listed: Callable[..., str],
) -> None:  # fmt: skip
    acting.append(someone("kent", "directory-editor", "actual"))
    listed()
    seen = re.findall(r'name="seen" value="([^"]+)"', client.get(f"{address}/edit").text)
    listed("01632 960009")
    late = client.post(f"{address}/confirmation", data={"seen": seen})
    assert late.status_code == 409
    assert "Look at it again" in said(late)
    assert "01632 960009" in said(late)
    seen = re.findall(r'name="seen" value="([^"]+)"', late.text)
    done = client.post(f"{address}/confirmation", data={"seen": seen}, follow_redirects=True)
    assert "2 confirmed as right." in said(done)


def test_an_answer_leads_on_to_the_report_whoever_may_send_one(
    client: FlaskClient, acting: list[Actor], someone: Someone
) -> None:
    acting.append(someone("E09000019/childrens-social-care", "practitioner"))
    page = client.get("/?q=CT9 1EZ").text
    assert '<a class="govuk-link govuk-!-font-weight-bold" href="/cases/new?to=kent/east">' in page
    assert "Report a child missing to East Kent" in page
    assert "To East Kent." in client.get("/cases/new?to=kent/east").text
    assert "/cases/new?" not in client.get("/?q=CT9 1EZ&at=2027-01-01T03:00").text
    acting.append(someone("kent/east", "officer"))
    page = client.get("/?q=Camden").text
    assert 'href="/cases/new">Record a missing child' in page, "their own unit records and leads"
    for reader in (PUBLIC, someone("kent", "directory-editor"), someone("kent", "auditor")):
        acting.append(reader)
        assert "/cases/new" not in client.get("/?q=CT9 1EZ").text
