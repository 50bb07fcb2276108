"""Whose child it is: named from the start of a case, told of a refusal, put right (DOMAIN.md 4.2, 8)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from tests.api.conftest import Partner
from tests.api.test_cases import REPORT
from tests.api.test_report_pages import between, words
from tests.worlds import ISLINGTON, KENT, MET, RECENTLY, World, refused
from tests.worlds import REPORT as RECORD

Make = Callable[..., Partner]
HOME, CAMDEN = "missing-people/helpline", "E09000007/childrens-social-care"
NO = {"reason": "not-met-definition", "explanation": "EXERCISE home by ten",
      "what_would_change_it": "EXERCISE not back by midnight"}  # fmt: skip
RANG_AND_REFUSED = {"called_at": RECENTLY, "with_name": "EXERCISE Hale", "outcome": "refused",
                    "reason": "EXERCISE she is often late"}  # fmt: skip
SEEN = {"located_at": RECENTLY, "seen_by": "EXERCISE", "place": "EXERCISE", "how": "police"}
WHY = {"why": "EXERCISE in the care of Islington"}


def said(kind: str, to: str | None = None, /, **body: Any) -> dict[str, Any]:
    return {"type": kind, "body": body, **({"to": [to]} if to else {})}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def home(someone: Callable[..., Actor]) -> Actor:
    """Return a carer: the unit is neither police nor of a council."""
    return someone(HOME, "practitioner")


def parts(world: World, ref: str) -> dict[str, tuple[str, str]]:
    """Return the part of each unit in a case, and how much of it that unit sees."""
    with world.database.unit_of_work() as session:
        rows = session.execute(
            text("""SELECT u.code, p.part, p.sees FROM party p JOIN unit u ON u.id = p.unit_id
                JOIN cases c ON c.id = p.case_id WHERE c.reference = :ref"""),
            {"ref": ref},
        )
        return {row.code: (row.part, row.sees) for row in rows}


def test_a_council_named_once_police_refused_a_care_homes_report_is_told_why_and_what_it_can_do(
    partner: Make,
) -> None:
    home, met, council = partner(HOME), partner(MET), partner(ISLINGTON)
    body = {**REPORT["body"], "associates": "EXERCISE associates"}
    opened = home.post("/api/v1/cases", {**REPORT, "to": [MET], "body": body}).json
    path = f"/api/v1/cases/{opened['case_reference']}"
    refusal = met.post(f"{path}/messages", said("report-not-accepted", **NO)).json
    assert council.get(path).status_code == 404
    assert "authority-named" in home.get(path).json["actions"]

    named = home.post(f"{path}/messages", said("authority-named", ISLINGTON, **WHY))
    assert named.status_code == 201, named.text
    lines = council.get("/api/v1/inbox").json["rows"]
    told = {line["type"]: line for line in lines}
    assert told.keys() == {"report-not-accepted", "authority-named"}
    assert told["report-not-accepted"]["message_id"] == refusal["message_id"]
    assert {line["priority"] for line in lines} == {"urgent"}
    case = council.get(path).json
    read = {one["type"]: one["body"] for one in case["messages"]}
    assert read["report-not-accepted"]["explanation"] == NO["explanation"]
    assert read["report-not-accepted"]["may_do"] == ["add-information", "ask-a-supervisor", "ring"]
    assert "associates" not in read["missing-episode-report"], "they are for police"
    assert {"update", "supervisor-request"} <= set(case["actions"])
    assert "authority-named" not in home.get(path).json["actions"]

    asked = council.post(f"{path}/messages", said("supervisor-request", why="EXERCISE she is 13"))
    assert asked.status_code == 201, asked.text
    again = home.post(f"{path}/messages", said("authority-named", CAMDEN, **WHY))
    assert (again.status_code, again.json["code"]) == (409, "authority-known")


def test_the_page_of_a_council_named_late_shows_the_refusal_that_a_reporter_recorded(
    client: FlaskClient, acting: list[Actor], world: World, home: Actor
) -> None:
    ref = world.open(home, to=[MET]).case_reference
    call = world.send(home, ref, "telephone-record", **RANG_AND_REFUSED)
    acting.append(home)
    client.post(f"/cases/{ref}/reason", data={"reason_code": "working-on-it"})
    page = client.get(f"/cases/{ref}").text
    assert "No council that is responsible for the child knows of this." in page
    address = f"/cases/{ref}/send/authority-named"
    assert page.count(f'href="{address}"') == 1, "the box of the refusal offers it"
    search = client.get(f"{address}?q=Islington").text
    assert f'href="{address}?to={ISLINGTON}"' in search
    assert "kent" not in search
    form = words(client.get(f"{address}?to={ISLINGTON}").text)
    assert "hears what police say of the report, and owes any return home interview" in form
    named = client.post(address, data={**WHY, "to": ISLINGTON, "do": "send", "form_id": "1" * 32})
    assert named.status_code == 303, named.text
    page = words(client.get(f"/cases/{ref}").text)
    assert "sees the case now, and owes any return home interview" in page
    assert "No council that is responsible" not in page

    lines = world.inbox(world.social_worker)
    assert {row.type for row in lines} == {"telephone-record", "authority-named"}
    assert call.message_id in {row.message_id for row in lines}
    acting.append(world.social_worker)
    box = words(
        between(client.get(f"/cases/{ref}").text, 'aria-labelledby="refused"', "</section>")
    )
    assert "EXERCISE she is often late" in box
    for act in ("Add information", "Ask for a supervisor’s decision", "Ring Central North"):
        assert act in box
    assert world.inbox(world.social_worker) == [], "both were opened"


def test_a_report_that_waits_is_no_refusal_and_its_authority_hears_the_next_word(
    client: FlaskClient, acting: list[Actor], world: World, home: Actor
) -> None:
    ref = world.open(home, to=[MET]).case_reference
    acting.append(world.met)
    assert "Name the responsible authority" in client.get(f"/cases/{ref}").text
    world.send(world.met, ref, "authority-named", to=[ISLINGTON], **WHY)
    (line,) = world.inbox(world.social_worker)
    assert (line.type, line.priority) == ("authority-named", "routine")
    refusal = world.send(world.met, ref, "report-not-accepted", **NO)
    assert world.social_worker.unit_id in refusal.reach
    assert "Name the responsible authority" not in client.get(f"/cases/{ref}").text


def test_only_who_can_know_whose_child_it_is_names_the_authority(
    world: World, home: Actor, someone: Callable[..., Actor]
) -> None:
    ref = world.open(home, to=[MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", to=[KENT], **RECORD)
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE")
    for who, code in (
        (world.kent, "not-permitted"),
        (world.stranger, "not-permitted"),
        (world.social_worker, "not-found"),
        (someone(MET, "auditor"), "not-permitted"),
    ):
        refused(code, lambda who=who: world.send(who, ref, "authority-named", to=[CAMDEN], **WHY))
    refused("to-one", lambda: world.send(home, ref, "authority-named", to=[KENT], **WHY))
    world.send(home, ref, "authority-named", to=[ISLINGTON], **WHY)
    assert world.case(world.social_worker, ref).full


def test_a_host_council_that_only_reported_is_put_right_and_the_interview_passes_on(
    client: FlaskClient, acting: list[Actor], world: World, someone: Callable[..., Actor]
) -> None:
    host = someone(CAMDEN, "practitioner")
    ref = world.open(host, to=[MET]).case_reference
    world.send(world.met, ref, "missing-episode-report", **RECORD)
    world.send(world.met, ref, "located", **SEEN)
    assert [row.type for row in world.inbox(host) if row.interview] == ["located"]
    acting.append(host)
    client.post(f"/cases/{ref}/reason", data={"reason_code": "working-on-it"})
    label = re.compile("Name the responsible authority, if it is another than .*Camden")
    assert label.search(words(client.get(f"/cases/{ref}").text))
    refused("authority-known",
            lambda: world.send(world.met, ref, "authority-named", to=[CAMDEN], **WHY))  # fmt: skip

    named = world.send(world.met, ref, "authority-named", to=[ISLINGTON], **WHY)
    assert named.reach.keys() == {world.social_worker.unit_id, host.unit_id}
    assert parts(world, ref) | {MET: ("police", "full")} == {
        MET: ("police", "full"),
        CAMDEN: ("host-authority", "limited"),
        ISLINGTON: ("responsible-authority", "full"),
    }
    assert [row.type for row in world.inbox(world.social_worker) if row.interview] == ["located"]
    assert [row for row in world.inbox(host) if row.interview] == []
    with world.database.unit_of_work() as session:
        owed = session.scalars(
            text("""SELECT owed_by_unit_id FROM clock
                WHERE kind = 'rhi' AND met_at IS NULL AND ended_at IS NULL""")
        ).all()
    assert owed == [world.social_worker.unit_id]
    assert world.case(host, ref).report is not None, "it sees what it saw"
    refused("authority-known",
            lambda: world.send(world.met, ref, "authority-named", to=[CAMDEN], **WHY))  # fmt: skip
    assert not label.search(words(client.get(f"/cases/{ref}").text))
    rhi = {"interview": "rhi", "offered": "no", "reason": "EXERCISE"}
    refused("interview-owed-elsewhere", lambda: world.send(host, ref, "interview-record", **rhi))
    world.send(world.social_worker, ref, "interview-record", **rhi)


def test_a_host_council_names_the_other_itself_and_goes_on_as_the_reporter(
    world: World, someone: Callable[..., Actor]
) -> None:
    host = someone(CAMDEN, "practitioner")
    ref = world.open(host, to=[MET]).case_reference
    world.send(world.met, ref, "report-not-accepted", **NO)
    world.send(host, ref, "authority-named", to=[ISLINGTON], **WHY)
    assert parts(world, ref)[CAMDEN] == ("host-authority", "limited")
    assert {row.type for row in world.inbox(world.social_worker)} == {
        "report-not-accepted", "authority-named",
    }  # fmt: skip
    news = {"heading": "new-information", "text": "EXERCISE"}
    assert world.met.unit_id in world.send(host, ref, "update", **news).reach
    assert world.case(host, ref).state == "awaiting-police"


def test_a_council_stays_responsible_that_has_told_of_a_placement_or_was_named_in_a_report(
    client: FlaskClient, world: World, home: Actor
) -> None:
    from tests.integration.test_placements import place

    with client.application.app_context():
        placed = place(world).case_reference
    told = world.open(home, to=[MET, ISLINGTON]).case_reference
    assert parts(world, told)[ISLINGTON] == ("responsible-authority", "full")
    for who, ref in ((world.social_worker, placed), (home, told)):
        assert "authority-named" not in [one.type for one in world.case(who, ref).actions]
        refused(
            "authority-known",
            lambda who=who, ref=ref: world.send(who, ref, "authority-named", to=[CAMDEN], **WHY),
        )


def test_the_emergency_team_of_a_council_names_its_own_childrens_team_and_both_stay(
    world: World, someone: Callable[..., Actor]
) -> None:
    night = someone("E09000019/edt", "practitioner")
    ref = world.open(night, to=[MET]).case_reference
    world.send(night, ref, "authority-named", to=[ISLINGTON], **WHY)
    found = parts(world, ref)
    assert found["E09000019/edt"][0] == found[ISLINGTON][0] == "responsible-authority"
    world.send(world.met, ref, "missing-episode-report", **RECORD)
    world.send(world.met, ref, "located", **SEEN)
    assert [row.type for row in world.inbox(world.social_worker) if row.interview] == ["located"]


TYPED = {
    "child.given_name": "EXERCISE Robin", "child.age": "14", "risk": "medium",
    "last_seen_at-date": "2026-11-01", "last_seen_at-time": "21:30", "why": "EXERCISE",
    "last_seen_place": "EXERCISE pier", "callback_telephone": "020 7946 0201",
    "form_id": "2" * 32,
}  # fmt: skip


def test_a_carer_may_say_in_the_report_which_council_is_responsible(
    client: FlaskClient, acting: list[Actor], world: World, home: Actor
) -> None:
    acting.append(home)
    asks = "Say which council is responsible for the child"
    assert asks in client.get(f"/cases/new?to={MET}").text
    found = client.post("/cases/new", data={**TYPED, "to": MET, "do": "find"})
    assert found.status_code == 303
    search = client.get(found.headers["Location"] + "Islington").text
    assert "Which council is responsible for the child?" in search
    choice = re.search(rf'href="(/cases/new[^"]*authority={ISLINGTON}[^"]*)"', search)
    assert choice is not None, words(search)
    form = client.get(choice.group(1).replace("&amp;", "&")).text
    assert "as the responsible authority" in form
    assert 'value="EXERCISE pier"' in form, "what was typed is kept"
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    sent = client.post("/cases/new", data={**TYPED, **hidden, "do": "send"})
    assert sent.status_code == 303, words(sent.text)
    ref = sent.headers["Location"].rpartition("/")[2]
    assert parts(world, ref) == {
        HOME: ("reporter", "limited"),
        MET: ("police", "full"),
        ISLINGTON: ("responsible-authority", "full"),
    }
    assert [row.type for row in world.inbox(world.social_worker)] == ["missing-episode-report"]
    for other in (world.social_worker, world.met):
        acting.append(other)
        assert asks not in client.get(f"/cases/new?to={MET}").text
