"""What a reader may take away of the directory: their audience's, in four forms."""

import io
import json
from datetime import UTC, datetime

import pypdf
import pytest
import vobject
from flask.testing import FlaskClient

from directory import editing
from directory.contact_csv import decode, read
from directory.entry_contracts import ContactIn
from directory.model import AUDIENCES
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import Unit, find_unit
from hub.web import ratelimit
from tests.conftest import Someone

NUMBERS = dict(zip(AUDIENCES, ("020 7946 0001", "020 7946 0002", "020 7946 0003"), strict=True))
KEEPER = Actor("system", name="Sunita Rao", roles=frozenset({"national-administrator"}))


@pytest.fixture
def unit(database: Database) -> Unit:
    """Return East Kent, with a number for each audience, the police's alone confirmed."""
    with database.unit_of_work() as session:
        found = find_unit(session, "kent/east")
        assert found is not None
        found.name_welsh = "Dwyrain ŵ ŷ"
        for audience, value in NUMBERS.items():
            given = ContactIn.model_validate({
                "purpose": "duty-inspector", "channel": "telephone", "value": value,
                "audience": audience, "note": "=by; day, \\ night",
            })  # fmt: skip
            editing.add_contact(
                session, KEEPER, found.id, given, why="EXERCISE", now=utcnow(),
                checked=audience == "police",
            )  # fmt: skip
        return found


def got(client: FlaskClient, path: str) -> bytes:
    reply = client.get(path)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Disposition"].startswith("attachment; filename=")
    return reply.data


def words(content: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize(
    ("where", "form"),
    [
        *(("forces/kent", form) for form in ("csv", "json", "vcf", "pdf")),
        ("units/{id}", "vcf"),
        ("national", "json"),
    ],
)
def test_each_reader_gets_their_audiences_contacts_and_no_others(
    client: FlaskClient, acting: list[Actor], unit: Unit, someone: Someone, where: str, form: str
) -> None:
    readers = {
        "public": PUBLIC,
        "professional": someone("kent", "practitioner", "actual"),
        "police": someone("kent", "officer", "actual"),
    }
    for last, (audience, actor) in enumerate(readers.items(), 1):
        acting.append(actor)
        content = got(client, f"/directory/{where.format(id=unit.id)}.{form}")
        shown = words(content) if form == "pdf" else content.decode()
        seen = [NUMBERS[one] in shown for one in AUDIENCES]
        assert seen == [True] * last + [False] * (3 - last), audience


def test_csv_is_what_an_import_takes(client: FlaskClient, unit: Unit) -> None:
    rows = read(decode(got(client, f"/directory/units/{unit.id}.csv")))
    (row,) = [row.cells for row in rows if row.cells["value"]]
    assert (row["unit"], row["note"], row["version"]) == ("kent/east", "=by; day, \\ night", "1")


def test_json_says_how_sure_each_contact_is(
    client: FlaskClient, acting: list[Actor], unit: Unit, someone: Someone
) -> None:
    acting.append(someone("kent", "officer", "actual"))
    document = json.loads(got(client, f"/directory/units/{unit.id}.json"))
    (found,) = [u for u in document["organisations"][0]["units"] if u["code"] == "kent/east"]
    assert {one["name"] for one in found["covers"]} >= {"Canterbury", "Thanet"}
    sure = {one["value"]: one["verification"] for one in found["contacts"]}
    assert sure == dict(
        zip(NUMBERS.values(), ("unverified", "unverified", "verified"), strict=True)
    )
    assert document["audiences"] == ["police", "professional", "public"]
    assert datetime.fromisoformat(document["as_of"]).tzinfo == UTC


def test_another_program_reads_the_vcards(
    client: FlaskClient, acting: list[Actor], unit: Unit, someone: Someone
) -> None:
    acting.append(someone("kent", "officer", "actual"))
    text = got(client, "/directory/forces/kent.vcf").decode()
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    cards = {card.uid.value: card for card in vobject.readComponents(text)}
    card = cards[f"urn:uuid:{unit.id}"]
    assert (card.version.value, card.kind.value) == ("4.0", "org")
    assert card.org.value == ["Kent Police", "East Kent"]
    assert [one.value for one in card.contents["fn"]] == ["East Kent, Kent Police", "Dwyrain ŵ ŷ"]
    assert sorted(one.value for one in card.contents["tel"]) == [
        "tel:+44-20-7946-0001", "tel:+44-20-7946-0002", "tel:+44-20-7946-0003",
    ]  # fmt: skip
    notes = " ".join(one.value for one in card.contents["note"])
    assert "020 7946 0001 is unverified. =by; day, \\ night." in notes
    assert "by Sunita Rao." in notes
    assert card.rev.value.endswith("Z")


def test_the_printed_directory_is_dated_paged_and_says_how_sure(
    client: FlaskClient, acting: list[Actor], unit: Unit, someone: Someone
) -> None:
    acting.append(someone("kent", "officer", "actual"))
    printed = pypdf.PdfReader(io.BytesIO(got(client, "/directory/forces/kent.pdf")))
    today = utcnow().astimezone(LONDON)
    pages = [" ".join(page.extract_text().split()) for page in printed.pages]
    for number, page in enumerate(pages, 1):
        assert f"As of {today.day} {today:%B %Y}" in page
        assert f"Page {number} of {len(pages)}" in page
        assert "For police: do not hang it where others can read it." in page
    everything = " ".join(pages)
    assert "Dwyrain ŵ ŷ" in everything
    assert "020 7946 0001 is unverified." in everything
    assert "by Sunita Rao." in everything
    assert "EXERCISE" not in everything
    where = next(n for n, page in enumerate(pages, 1) if "020 7946 0003" in page)
    assert f"East Kent {where}" in pages[1]  # contents
    assert f"Canterbury East Kent {where}, Kent Police" in pages[-1]  # index by council
    assert [one["/Title"] for one in printed.outline][:2] == [
        "East Kent", "North Kent & Medway",
    ]  # fmt: skip
    assert printed.trailer["/Root"]["/Lang"] == "en-GB"
    assert printed.trailer["/Root"]["/ViewerPreferences"]["/DisplayDocTitle"]
    assert printed.metadata is not None
    assert printed.metadata.title == f"Kent Police, {today.day} {today:%B %Y}"


def test_the_nation_is_printed_with_every_force_and_council(client: FlaskClient) -> None:
    printed = pypdf.PdfReader(io.BytesIO(got(client, "/directory/national.pdf")))
    pages = [" ".join(page.extract_text().split()) for page in printed.pages]
    titles = [one["/Title"] for one in printed.outline]
    starts = {
        one["/Title"]: printed.get_destination_page_number(one) + 1 for one in printed.outline
    }
    assert len(titles) > 50
    assert titles[-1] == "Index by council"
    for name in ("Avon and Somerset Police", "Metropolitan Police Service", "Police Scotland"):
        assert name in pages[starts[name] - 1]
        assert f"{name} {starts[name]}" in " ".join(pages[1:3])
    index = " ".join(pages[starts["Index by council"] - 1 :])
    assert f"York North Yorkshire Police {starts['North Yorkshire Police']}" in index
    assert f" Surrey Surrey Police {starts['Surrey Police']}" in index, "a county of districts"
    assert "Public contacts only" in pages[0]


def test_what_is_printed_for_an_exercise_says_so_on_every_page(
    client: FlaskClient, acting: list[Actor], unit: Unit, someone: Someone
) -> None:
    acting.append(someone("kent", "officer"))
    reply = client.get("/directory/forces/kent.pdf")
    assert "EXERCISE-directory-kent-police-" in reply.headers["Content-Disposition"]
    pages = pypdf.PdfReader(io.BytesIO(reply.data)).pages
    assert all("EXERCISE EXERCISE EXERCISE" in page.extract_text() for page in pages)


def test_units_of_one_name_are_not_printed_for_each_other(
    client: FlaskClient, database: Database
) -> None:
    """Several forces have a Northern division."""
    with database.unit_of_work() as session:
        units = [
            find_unit(session, code) for code in ("surrey/northern", "cambridgeshire/northern")
        ]
    shown = [words(got(client, f"/directory/units/{one.id}.pdf")) for one in units if one]
    assert "Surrey Police" in shown[0]
    assert "Cambridgeshire Constabulary" in shown[1]


def test_what_is_not_there_is_not_found(client: FlaskClient, unit: Unit) -> None:
    for path in ("forces/nowhere.csv", "units/01a2138d-1209-70ba-8f18-000000000000.json",
                 "national.doc"):  # fmt: skip
        assert client.get(f"/directory/{path}").status_code == 404


def test_what_anybody_may_take_is_counted_and_who_signed_in_is_not(
    client: FlaskClient, acting: list[Actor], someone: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "WINDOW_SECONDS", 10**9)  # the minute does not turn meanwhile
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1)
    address = {"REMOTE_ADDR": "192.0.2.78"}
    codes = [
        client.get("/directory/forces/kent.csv", environ_overrides=address).status_code
        for _ in range(2)
    ]
    assert codes == [200, 429]
    acting.append(someone("kent", "officer", status="actual"))
    again = client.get("/directory/forces/kent.csv", environ_overrides=address)
    assert again.status_code == 200
