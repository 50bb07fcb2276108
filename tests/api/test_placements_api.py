"""Placements, plans and reports that name a placement, by API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from flask import Flask
from sqlalchemy import select

from hub.db import Database
from hub.records import audit
from hub.records.model import AuditRecord
from tests.api.conftest import Partner
from tests.api.test_cases import KENT, MET, REPORT
from tests.api.test_schemathesis import CHECKS

Make = Callable[..., Partner]
COUNCIL = "E09000019/childrens-social-care"


def notice(**more: Any) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    return {
        "type": "placement-notification",
        "status": "exercise",
        "body": {
            "child": {"given_name": "EXERCISE child", "age": 14},
            "placement_address": "EXERCISE House, Margate",
            "placement_postcode": "CT9 1EZ",
            "starts_on": (today + timedelta(days=1)).isoformat(),
            "social_worker_telephone": "020 7946 0201",
            **more,
        },
    }


def test_a_councils_system_tells_of_a_placement_and_police_plan_for_it(
    app: Flask, partner: Make
) -> None:
    council, met, kent, essex, surrey = (
        partner(u) for u in (COUNCIL, MET, KENT, "essex", "surrey")
    )
    opened = council.post("/api/v1/cases", notice())
    assert opened.status_code == 201, opened.text
    ref = opened.json["case_reference"]
    reaches = {one["unit"]["code"]: one["reach"] for one in opened.json["recipients"]}
    assert reaches[MET] == reaches[KENT] == "connected"
    away = next(one for one in opened.json["recipients"] if one["reach"] == "not-on-hub")
    assert away["unit"]["code"] == "E10000016/childrens-social-care"
    case = met.get(f"/api/v1/cases/{ref}").json
    assert case["placement"]["destination"]["code"] == KENT
    assert case["placement"]["working_days_late"] == 0
    assert case["plan"] is None
    path = f"/api/v1/cases/{ref}/messages"
    plan: dict[str, Any] = {
        "type": "joint-response-plan",
        "body": {
            "lead_unit": MET, "first_actions_home": "EXERCISE", "contacts_in_hours": "EXERCISE",
            "first_actions_destination": "EXERCISE", "contacts_out_of_hours": "EXERCISE",
            "review_on": (datetime.now(UTC).date() + timedelta(days=30)).isoformat(),
        },
    }  # fmt: skip
    proposed = met.post(path, plan)
    assert proposed.status_code == 201, proposed.text
    assert met.get(f"/api/v1/cases/{ref}").json["plan"]["in_force"] is False
    agree = {"type": "plan-reply", "body": {"answer": "agrees", "named_person": "EXERCISE"}}
    assert kent.post(path, agree).status_code == 201
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    read = schema["/api/v1/cases/{reference}"]["GET"].Case(path_parameters={"reference": ref})
    reply = read.call(headers={"Authorization": f"Bearer {kent.token}"})
    read.validate_response(reply, checks=list(CHECKS))
    told = reply.json()["plan"]
    assert (told["in_force"], told["lapse"]) == (False, "placement-not-begun")
    assert told["lapse_words"].endswith(", when the placement begins.")
    start = {"action": "change", "starts_on": datetime.now(UTC).date().isoformat()}
    assert council.post(path, notice(**start)).status_code == 201
    reply = read.call(headers={"Authorization": f"Bearer {kent.token}"})
    read.validate_response(reply, checks=list(CHECKS))
    told = reply.json()["plan"]
    assert (told["in_force"], told["lapse"], told["lapse_words"]) == (True, None, None)
    assert reply.json()["following_placement"] is None
    soon = (datetime.now(UTC).date() + timedelta(days=3)).isoformat()
    move = {"action": "change", "starts_on": soon, "destination_unit": "surrey"}
    assert council.post(path, notice(**move)).status_code == 201
    assert met.post(path, plan).status_code == 201
    assert surrey.post(path, agree).status_code == 201
    reply = read.call(headers={"Authorization": f"Bearer {kent.token}"})
    read.validate_response(reply, checks=list(CHECKS))
    case = reply.json()
    assert (case["placement"]["destination"]["code"], case["plan"]["in_force"]) == (KENT, True)
    assert case["following_placement"]["starts_on"] == soon
    assert case["following_plan"]["lapse"] == "placement-not-begun"

    assert essex.get(f"/api/v1/cases/{ref}").status_code == 404
    wrong = essex.post("/api/v1/cases", {**REPORT, "placement_reference": "EX-2222-2222"})
    assert (wrong.status_code, wrong.json["code"]) == (422, "placement-reference")
    assert [one["pointer"] for one in wrong.json["errors"]] == ["/placement_reference"]
    key = "exercise-report-once"
    named = essex.post("/api/v1/cases", {**REPORT, "placement_reference": ref}, key)
    again = essex.post("/api/v1/cases", {**REPORT, "placement_reference": ref}, key)
    assert named.json == again.json
    assert named.json["case_reference"] == ref
    lead = essex.get(f"/api/v1/cases/{ref}/lead").json
    assert lead["lead"]["code"] == "essex"
    assert lead["open_request"]["basis"] == "agreed-plan"
    assert lead["open_request"]["to"]["code"] == MET
    accept = {"type": "lead-transfer-accept", "body": {"named_officer": "EXERCISE Sergeant"}}
    assert met.post(path, accept).status_code == 201
    lead = essex.get(f"/api/v1/cases/{ref}/lead").json
    assert (lead["lead"]["code"], lead["basis"]) == (MET, "agreed-plan")


def test_a_second_reporter_is_told_whom_to_ring_and_nothing_of_the_case(
    partner: Make, database: Database
) -> None:
    council, kent, school = (partner(u) for u in (COUNCIL, KENT, "E06000035/childrens-social-care"))
    ref = council.post("/api/v1/cases", notice()).json["case_reference"]
    path = f"/api/v1/cases/{ref}"
    first = council.post(f"{path}/messages", {**REPORT, "to": [KENT]})
    assert first.status_code == 201, first.text
    second = {**REPORT, "to": [MET], "placement_reference": ref}
    told = school.post("/api/v1/cases", second)
    assert (told.status_code, told.json["code"]) == (409, "report-open")
    assert told.json["detail"].startswith("Police have been told of a report with this reference")
    assert told.json["unit"] == {"code": KENT, "name": "East Kent"}
    assert told.json["ring"][0].keys() == {"value", "label", "note"}
    assert told.json.keys().isdisjoint({"state", "since", "case_reference"})
    assert school.get(path).status_code == 404
    with database.unit_of_work() as session:
        disclosed = session.scalars(
            select(AuditRecord).where(AuditRecord.action == audit.DISCLOSURE)
        ).all()
    assert [one.detail for one in disclosed] == [{"refused": "report-open"}], "it is on record"
    party = council.post("/api/v1/cases", second)
    assert (party.status_code, party.json["state"]) == (409, "awaiting-police")
    refusal = {
        "type": "report-not-accepted",
        "body": {"reason": "other", "explanation": "EXERCISE"},
    }
    assert kent.post(f"{path}/messages", refusal).status_code == 201
    assert council.post("/api/v1/cases", second).json["state"] == "not-accepted"
    assert kent.post("/api/v1/cases", second).status_code == 201, "police record it all the same"


def test_what_a_placement_lacks_is_pointed_at(partner: Make) -> None:
    council, met = partner(COUNCIL), partner(MET)
    asked = council.post("/api/v1/cases", notice(placement_postcode="EH1 1YZ"))
    assert (asked.status_code, asked.json["code"]) == (422, "destination-unclear")
    assert [one["pointer"] for one in asked.json["errors"]] == ["/body/destination_unit"]
    assert "EH1" not in asked.text, "the address of a child is in no error"
    for bad, pointer in (
        ({"starts_on": "soon"}, "/body/starts_on"),
        ({"placement_postcode": ""}, "/body/placement_postcode"),
        ({"ends_on": "2020-01-01"}, "/body/ends_on"),
        ({"action": "end"}, "/body/ends_on"),
        ({"destination_unit": COUNCIL}, "/body/destination_unit"),
        ({"home_unit": "nowhere"}, "/body/home_unit"),
        ({"social_worker_telephone": "x" * 100}, "/body/social_worker_telephone"),
    ):
        refused = council.post("/api/v1/cases", notice(**bad))
        assert refused.status_code == 422, bad
        assert pointer in [one["pointer"] for one in refused.json["errors"]], refused.text
    assert met.post("/api/v1/cases", notice()).status_code == 403
