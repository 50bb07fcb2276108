"""The pages of a practitioner's report: who refused it, who is asked to decide, what is owed by whom."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import Actor
from hub.records.keys import Keys
from hub.records.vault import Vault
from messaging import alarms, sending, views, wording
from messaging.contracts import Command
from messaging.pages import refusals
from seed import cast, demo
from seed.cast import Player
from tests.api.test_attachment_forms import sent
from tests.documents import picture
from tests.worlds import KENT, MET, REPORT

pytestmark = pytest.mark.exercise

NO = {"reason": "not-met-definition", "explanation": "EXERCISE home by ten"}
ELSEWHERE = {
    "reason": "wrong-force",
    "explanation": "EXERCISE seen in Margate",
    "readdress_to": KENT,
}
ASK = {"why": "EXERCISE she is 13"}


class Hub:
    """The exercise, as its players send in it and look at its pages."""

    def __init__(self, app: Flask, database: Database, keys: Keys) -> None:
        self.app, self.database, self.keys = app, database, keys
        self.clients: dict[str, Any] = {}
        self.reference = ""

    def send(self, player: Player, kind: str, to: tuple[str, ...] = (), /, **body: Any) -> None:
        priority = body.pop("priority", "routine")
        command = Command(type=kind, to=list(to), body=body, status="exercise", priority=priority)
        vault, now = Vault(self.keys), utcnow()
        with self.database.unit_of_work() as session:
            actor = demo.actor_of(session, player)
            if self.reference:
                sending.send(session, actor, vault, self.reference, command, now)
            else:
                self.reference = sending.open_case(
                    session, actor, vault, command, now
                ).case_reference

    def client(self, player: Player) -> Any:
        if player.email not in self.clients:
            client = self.app.test_client()
            given = {"email": player.email, "password": demo.password(self.keys)}
            page = client.get("/sign-in")
            entered = client.post("/sign-in", data={**given, "csrf_token": token(page)})
            assert entered.status_code == 303
            self.clients[player.email] = client
        return self.clients[player.email]

    def page(self, player: Player, path: str = "") -> str:
        page = self.client(player).get(f"/cases/{self.reference}{path}")
        assert page.status_code == 200, page.status
        return words(page.text)

    def post(self, player: Player, path: str, **fields: str) -> TestResponse:
        client = self.client(player)
        page = client.get(path)
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        form = {"do": "send", **dict(hidden)}
        reply: TestResponse = client.post(path, data={**form, **fields})
        return reply

    def lines(self, player: Player) -> dict[str, str]:
        """Return the lines of a player's inbox about the case, by the heading that they are under."""
        page = self.client(player).get("/inbox").text
        found = {}
        for name in ("mine", "new", "others"):
            part = between(page, f'<section aria-labelledby="{name}"', "</section>")
            rows = re.findall(r'<li class="hub-row.*?</li>', part, re.DOTALL)
            found[name] = "\n".join(words(row) for row in rows if self.reference in row)
        return found


def token(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None
    return found.group(1)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def between(page: str, start: str, end: str) -> str:
    return page.partition(start)[2].partition(end)[0]


@pytest.fixture
def hub(app: Flask, database: Database, keys: Keys) -> Hub:
    hub = Hub(app, database, keys)
    hub.send(cast.SOCIAL_WORKER, "missing-episode-report", (MET,), **REPORT)
    worker, case = hub.client(cast.SOCIAL_WORKER), f"/cases/{hub.reference}"
    why = {"csrf_token": token(worker.get(case)), "reason_code": "working-on-it"}
    assert worker.post(f"{case}/reason", data=why).status_code == 303
    return hub


def test_a_report_refused_twice_says_of_each_refusal_which_unit_who_when_and_why(hub: Hub) -> None:
    hub.send(cast.MET_OFFICER, "report-not-accepted", **ELSEWHERE)
    hub.send(cast.KENT_OFFICER, "report-not-accepted", **NO)
    box = between(
        hub.page(cast.SOCIAL_WORKER), "Police have not accepted this report", "Nobody leads"
    )
    last, _, before = box.partition("Before that")
    for said, who, unit, why in (
        (last, cast.KENT_OFFICER.name, "East Kent", "EXERCISE home by ten"),
        (before, cast.MET_OFFICER.name, "Central North", "EXERCISE seen in Margate"),
    ):
        assert who in said
        assert unit in said
        assert why in said
        assert re.search(r"\d\d:\d\d (GMT|BST)", said)


def test_a_supervisor_who_is_asked_reads_why_and_the_reporter_who_decided_when_and_why(
    hub: Hub,
) -> None:
    hub.send(cast.MET_OFFICER, "report-not-accepted", **NO)
    with hub.database.unit_of_work() as session:
        session.execute(
            text("""INSERT INTO clock_setting (organisation_id, kind, minutes)
                SELECT organisation_id, 'supervisor-decision', 20 FROM unit WHERE code = :met"""),
            {"met": MET},
        )
    asking = hub.page(cast.SOCIAL_WORKER, "/send/supervisor-request")
    assert "A supervisor there decides within 20 minutes: by " in asking

    hub.send(cast.SOCIAL_WORKER, "supervisor-request", **ASK)
    assert "Decide on the report, as supervisor" in hub.lines(cast.MET_INSPECTOR)["mine"]
    lines = hub.lines(cast.MET_OFFICER)
    assert lines["mine"] == ""
    assert "A supervisor of Central North decides" in lines["others"]
    page = hub.page(cast.MET_INSPECTOR)
    box = between(page, "Police have not accepted this report", "Nobody leads")
    assert "EXERCISE home by ten" in box
    assert "EXERCISE she is 13" in box
    assert cast.SOCIAL_WORKER.name in box

    hub.send(
        cast.MET_INSPECTOR, "report-not-accepted", **{**NO, "explanation": "EXERCISE no again"}
    )
    page = hub.page(cast.SOCIAL_WORKER)
    box = between(page, "A supervisor decided: police do not accept this report", "Nobody leads")
    for said in (
        cast.MET_INSPECTOR.name,
        "Central North",
        "EXERCISE no again",
        "EXERCISE she is 13",
    ):
        assert said in box
    line = hub.lines(cast.SOCIAL_WORKER)["mine"]
    assert re.search(f"A supervisor, .*{cast.MET_INSPECTOR.name}, has not accepted it either", line)


def test_information_is_added_in_a_short_form_and_the_unit_is_told_what_it_is_about(
    hub: Hub,
) -> None:
    hub.send(cast.MET_OFFICER, "report-not-accepted", **NO)
    page = hub.client(cast.SOCIAL_WORKER).get(f"/cases/{hub.reference}").text
    address = re.search(r'href="(/cases/[^"]+/send/update[^"]*)"', page)
    assert address is not None
    assert page.count("/send/update") == 1
    path = address.group(1)
    form = words(hub.client(cast.SOCIAL_WORKER).get(path).text)
    assert "Add information" in form
    for police in ("UK Missing Persons Unit", "New risk", "What kind of news", "live line"):
        assert police not in form
    whole = words(hub.client(cast.SOCIAL_WORKER).get(path.partition("?")[0]).text)
    assert "Sighting" in whole
    for police in ("Supervisor’s review", "UK Missing Persons Unit", "Change of risk", "New risk"):
        assert police not in whole, "news of a practitioner's are theirs to give"
    added = hub.post(cast.SOCIAL_WORKER, path, text="EXERCISE not back", adds="information")
    assert added.status_code == 303, added.text
    line = hub.lines(cast.MET_OFFICER)["mine"]
    assert "New information about a report that your unit did not accept" in line
    assert "EXERCISE not back" in hub.page(cast.MET_OFFICER)


def test_what_was_typed_is_still_there_once_another_unit_was_found(hub: Hub) -> None:
    path = f"/cases/{hub.reference}/send/report-not-accepted"
    found = hub.post(cast.MET_OFFICER, path, do="find", explanation="EXERCISE seen in Margate")
    assert found.status_code == 303
    client = hub.client(cast.MET_OFFICER)
    search = client.get(found.headers["Location"] + "East+Kent")
    choice = re.search(r'href="([^"]+readdress=kent[^"]*)"', search.text)
    assert choice is not None, search.text
    form = client.get(choice.group(1).replace("&amp;", "&")).text
    assert "EXERCISE seen in Margate" in form
    assert 'value="kent/east"' in form


def test_what_is_late_is_named_and_both_boxes_give_the_numbers_in_one_order(hub: Hub) -> None:
    later = utcnow() + timedelta(minutes=6)
    with hub.database.unit_of_work() as session:
        while alarms.escalate(session, later):
            pass
    line = hub.lines(cast.SOCIAL_WORKER)["others"]
    assert "Not opened in time" in line
    assert "Overdue" not in line
    later += timedelta(minutes=6)
    with hub.database.unit_of_work() as session:
        session.execute(
            text(
                """UPDATE clock SET started_at = started_at - interval '11 minutes',
                due_at = due_at - interval '11 minutes' WHERE kind = 'report-outcome'"""
            )
        )
        while alarms.escalate(session, later):
            pass
    line = hub.lines(cast.SOCIAL_WORKER)["others"]
    assert "Overdue" in line
    assert "Not opened in time" not in line
    page = hub.client(cast.SOCIAL_WORKER).get(f"/cases/{hub.reference}").text
    overdue = between(page, 'id="overdue"', "</section>")
    ring = between(page, 'id="call-1"', "</section>")
    numbers = re.findall(r'class="govuk-link hub-number" href="([^"]+)"', ring)
    assert len(numbers) > 1
    found = re.findall(r'class="govuk-link hub-number" href="([^"]+)"', overdue)
    assert found[: len(numbers)] == numbers


def test_nobody_reads_the_version_of_a_list_aloud(hub: Hub) -> None:
    script = hub.page(cast.SOCIAL_WORKER, "/script/1")
    assert "Medium: harm likely" in script
    assert "Version of the list" not in script
    assert "Version of the list of risks" in hub.page(cast.SOCIAL_WORKER)


def test_what_police_send_urgently_once_a_report_is_settled_is_rung_about(hub: Hub) -> None:
    hub.send(cast.MET_OFFICER, "missing-episode-report", (KENT, "devon-and-cornwall"), **REPORT,
             priority="urgent")  # fmt: skip
    page = hub.page(cast.MET_OFFICER)
    assert "Ring East Kent" in page
    assert "Ring Devon &amp; Cornwall Police" in page
    assert "Ring Central North" not in hub.page(cast.SOCIAL_WORKER), "their report is settled"


PLACED = {
    "child": {"given_name": "EXERCISE child", "age": 14}, "placement_address": "EXERCISE House",
    "placement_postcode": "CT9 1EZ", "social_worker_telephone": "020 7946 0201",
}  # fmt: skip


TYPED = {
    "child.given_name": "EXERCISE Robin", "child.age": "14", "risk": "medium",
    "last_seen_at-date": "2026-11-01", "last_seen_at-time": "21:30", "why": "EXERCISE",
    "last_seen_place": "EXERCISE pier", "callback_telephone": "020 7946 0201",
}  # fmt: skip


def test_a_second_report_of_a_placement_is_kept_and_says_whom_to_ring(
    app: Flask, database: Database, keys: Keys
) -> None:
    hub = Hub(app, database, keys)
    with app.app_context():
        hub.send(cast.SOCIAL_WORKER, "placement-notification", **PLACED,
                 starts_on=utcnow().date().isoformat())  # fmt: skip
    hub.send(cast.SOCIAL_WORKER, "missing-episode-report", (KENT,), **REPORT)
    typed = {**TYPED, "placement_reference": hub.reference}
    told = hub.post(cast.SOCIAL_WORKER, f"/cases/new?to={KENT}", **typed)
    assert told.status_code == 409
    page = words(told.text)
    assert re.search(
        r"East Kent has had a report of this child since \d\d:\d\d .*: ring East Kent", page
    )
    assert "What you typed is kept as a draft." in page
    assert 'value="EXERCISE pier"' in told.text
    assert "hub-number" in told.text
    assert "Report of a missing child" in words(
        hub.client(cast.SOCIAL_WORKER).get("/cases/drafts").text
    )

    hub.send(cast.KENT_OFFICER, "missing-episode-report", **REPORT)
    for player, path in (
        (cast.SOCIAL_WORKER, f"/cases/new?to={MET}"),
        (cast.MET_OFFICER, "/cases/new"),
        (cast.ESSEX_OFFICER, "/cases/new"),
    ):
        told = hub.post(player, path, **typed)
        assert told.status_code == 409
        page = words(told.text)
        assert "East Kent leads: ring it on " in page
        ring = between(told.text, 'class="govuk-list hub-numbers"', "</ul>")
        assert re.search(r'hub-number__of">[^<]*(Kent|East Kent)', ring), page
        assert "What you typed is kept as a draft." in page
        assert "with what you typed" not in page
        assert "The police do not have this" not in page
        assert "leads from the second" not in page


def test_a_file_kept_with_a_draft_goes_with_it_into_the_placements_case(
    app: Flask, database: Database, keys: Keys
) -> None:
    hub = Hub(app, database, keys)
    with app.app_context():
        hub.send(cast.SOCIAL_WORKER, "placement-notification", **PLACED,
                 starts_on=utcnow().date().isoformat())  # fmt: skip
    worker = hub.client(cast.SOCIAL_WORKER)
    path = f"/cases/new?to={KENT}"
    form = {"csrf_token": token(worker.get(path)), "do": "draft", **TYPED}
    face = FileStorage(BytesIO(picture()), "EXERCISE face.jpg")
    kept = sent(worker, path, {**form, "file-0": face})
    draft = re.search(r"draft=([\w-]+)", kept.headers["Location"])
    assert draft is not None
    case = f"/cases/{hub.reference}"
    why = {"csrf_token": token(worker.get(case)), "reason_code": "working-on-it"}
    assert worker.post(f"{case}/reason", data=why).status_code == 303
    path = f"{case}/send/missing-episode-report?to={KENT}&draft={draft.group(1)}"
    assert "Leave out EXERCISE face.jpg" in words(worker.get(path).text)
    told = hub.post(cast.SOCIAL_WORKER, path, **TYPED)
    assert told.status_code == 303, words(told.text)
    assert "EXERCISE face.jpg" in hub.page(cast.SOCIAL_WORKER)


def test_only_whose_news_re_open_a_refused_report_are_asked_for_them(
    app: Flask, database: Database, keys: Keys, someone: Callable[..., Actor]
) -> None:
    hub = Hub(app, database, keys)
    with app.app_context():
        hub.send(cast.SOCIAL_WORKER, "placement-notification", **PLACED,
                 starts_on=utcnow().date().isoformat())  # fmt: skip
    hub.send(cast.SOCIAL_WORKER, "missing-episode-report", (KENT,), **REPORT)
    hub.send(cast.KENT_OFFICER, "report-not-accepted", **NO)
    host = someone("E10000016/childrens-social-care", "practitioner")
    with database.unit_of_work() as session, app.test_request_context():
        asked = []
        for actor in (demo.actor_of(session, cast.SOCIAL_WORKER), host):
            view = views.case_view(
                session, actor, Vault(keys), hub.reference, utcnow(), reason_code="test"
            )
            box = refusals.refused(session, actor, view, utcnow())
            assert box is not None
            asked.append(box["add_address"] is not None)
    assert asked == [True, False]


def test_a_force_off_the_hub_that_took_the_report_by_telephone_is_sent_a_link_to_record_it(
    app: Flask, database: Database, keys: Keys
) -> None:
    hub = Hub(app, database, keys)
    hub.send(cast.SOCIAL_WORKER, "missing-episode-report", ("devon-and-cornwall",), **REPORT)
    call = {"called_at": (utcnow() - timedelta(minutes=2)).isoformat(), "outcome": "taken",
            "with_name": "EXERCISE", "with_collar": "1", "their_reference": "EXERCISE 1"}  # fmt: skip
    hub.send(cast.SOCIAL_WORKER, "telephone-record", **call)
    worker, case = hub.client(cast.SOCIAL_WORKER), f"/cases/{hub.reference}"
    why = {"csrf_token": token(worker.get(case)), "reason_code": "working-on-it"}
    assert worker.post(f"{case}/reason", data=why).status_code == 303
    page = hub.page(cast.SOCIAL_WORKER)
    assert "They took it by telephone: it is not confirmed on the hub." in page
    assert "Send a guest link to missing@devon-cornwall.example.org" in page


def asked(hub: Hub, player: Player) -> None:
    client, case = hub.client(player), f"/cases/{hub.reference}"
    why = {"csrf_token": token(client.get(case)), "reason_code": "working-on-it"}
    client.post(f"{case}/reason", data=why)


def test_an_answer_is_given_before_the_question_and_quotes_it(hub: Hub) -> None:
    hub.send(cast.MET_OFFICER, "missing-episode-report", **REPORT)
    command = Command(type="information-request", to=[KENT], purpose="EXERCISE", status="exercise",
                      body={"questions": "EXERCISE was she at the pier?"})  # fmt: skip
    with hub.database.unit_of_work() as session:
        actor = demo.actor_of(session, cast.MET_OFFICER)
        sent = sending.send(session, actor, Vault(hub.keys), hub.reference, command, utcnow())
        sending.send(session, actor, Vault(hub.keys), hub.reference, command, utcnow())
    asked(hub, cast.KENT_OFFICER)
    both = hub.page(cast.KENT_OFFICER)
    assert "Answer question 3" in both
    assert "Answer question 4" in both
    path = f"/cases/{hub.reference}/send/information-response?re={sent.message_id}"
    form = words(hub.client(cast.KENT_OFFICER).get(path).text)
    assert "EXERCISE was she at the pier?" in form
    assert sent.reply_due_at is not None
    assert f"Needed by {wording.moment(sent.reply_due_at)}" in form, "an hour or a day by default"
    hub.post(cast.KENT_OFFICER, path, outcome="none-held")
    asked(hub, cast.MET_OFFICER)
    answer = hub.page(cast.MET_OFFICER).partition("Outcome")[0].rpartition("The question")[2]
    assert "EXERCISE was she at the pier?" in answer


def test_an_adjudicator_has_both_sides_reasons_and_the_guidance_side_by_side(hub: Hub) -> None:
    hub.send(cast.MET_OFFICER, "missing-episode-report", **REPORT)
    command = Command(
        type="lead-transfer-request", to=[KENT], callback_telephone="020 7946 0001",
        body={"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"},
        status="exercise",
    )  # fmt: skip
    with hub.database.unit_of_work() as session:
        actor = demo.actor_of(session, cast.MET_OFFICER)
        sending.send(session, actor, Vault(hub.keys), hub.reference, command, utcnow())
    no = {"reason": "wrong-area", "explanation": "EXERCISE last seen in Camden"}
    hub.send(cast.KENT_OFFICER, "lead-transfer-decline", **no)
    hub.send(cast.MET_OFFICER, "dispute", (KENT,), grounds="EXERCISE all her friends are in Kent")
    asked(hub, cast.COORDINATOR)
    page = hub.page(cast.COORDINATOR).partition("Who leads is disputed")[2][:3000]
    client = hub.client(cast.COORDINATOR)
    case = f"/cases/{hub.reference}"
    written = client.get(f"{case}/send/direction?lead={KENT}").text
    assert f'href="{case}#history"' in written
    assert 'href="#history"' in client.get(case).text
    form = words(written)
    for shown in (page, form):
        for said in (
            "EXERCISE last seen in Camden",
            "EXERCISE all her friends are in Kent",
            "(NPCC)",
        ):
            assert said in shown, said


def test_the_page_of_a_case_says_the_risk_before_its_messages(hub: Hub) -> None:
    hub.send(cast.MET_OFFICER, "missing-episode-report", **REPORT)
    raised = {"heading": "risk-change", "text": "EXERCISE", "new_risk": "high"}
    hub.send(cast.MET_OFFICER, "update", **raised)
    asked(hub, cast.MET_OFFICER)
    first = hub.page(cast.MET_OFFICER).partition("Conversation")[0]
    assert "Risk: High" in first
