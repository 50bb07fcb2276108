"""What the pages say of a placement, and what they offer for it."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import wording
from tests.api.test_pack import pack_of
from tests.integration.test_placements import (
    AGREE,
    ESSEX,
    ESSEX_COUNCIL,
    KENT_COUNCIL,
    agreed,
    day,
    moves,
    notice,
    place,
    plan,
)
from tests.worlds import ISLINGTON, KENT, MET, REPORT, World

OFFER = {
    "rationale": "majority-of-enquiries", "circumstances": "EXERCISE", "priority": "urgent",
}  # fmt: skip


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


def test_a_placement_that_has_not_begun_says_when_it_does(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        soon = place(world, starts_on=day(world, 3).isoformat()).case_reference
        now = place(world, starts_on=day(world).isoformat()).case_reference
    acting.append(world.kent)
    begins = f"Begins on {wording.day(day(world, 3))}"
    page = client.get(f"/cases/{soon}").text
    assert begins in page
    assert ">Current<" not in page
    page = client.get(f"/cases/{now}").text
    assert ">Current<" in page
    assert "Begins on" not in page


def test_a_plan_that_is_not_in_force_says_why(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world, 3).isoformat()).case_reference
        world.send(world.kent, ref, "joint-response-plan", **plan(world))
        world.send(world.met, ref, "plan-reply", **AGREE)
    acting.append(world.kent)
    from_day = f"In force from {wording.day(day(world, 3))}, when the placement begins."
    for path in (f"/cases/{ref}", f"/cases/{ref}/plan"):
        page = client.get(path).text
        assert from_day in page
        assert "Whoever records the report leads until" not in page
    with client.application.app_context():
        world.send(world.social_worker, ref, "placement-notification",
                   **notice(world, action="change", home_unit="essex"))  # fmt: skip
    assert "Another police unit is the home now" in client.get(f"/cases/{ref}/plan").text


def test_a_move_that_is_told_ahead_stands_beside_where_the_child_is(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = agreed(world)
        moves(world, ref, 3, **ESSEX)
        world.send(world.met, ref, "joint-response-plan", **plan(world))
        world.send(world.stranger, ref, "plan-reply", **AGREE)
    acting.append(world.kent)
    page = client.get(f"/cases/{ref}").text
    here, then = page.index("from Central North to East Kent"), page.index("told ahead</h2>")
    assert here < then < page.index("from Central North to Essex")
    assert f"until {wording.day(day(world, 2))}." in page
    assert f"Begins on {wording.day(day(world, 3))}" in page
    paper = client.get(f"/cases/{ref}/plan").text
    for text in (page, paper):
        assert "the hub asks it at once" in text, "by the plan of where the child is"
        assert f"In force from {wording.day(day(world, 3))}, when the placement begins." in text
    assert "Now at Essex" in paper
    propose = client.get(f"/cases/{ref}/send/joint-response-plan").text
    (select,) = re.findall(r'<select[^>]* name="lead_unit".*?</select>', propose, re.DOTALL)
    assert re.findall(r'<option value="([^"]+)"', select) == ["essex", MET]


def test_the_plan_of_a_move_stands_as_its_own_where_the_child_has_none_yet(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world).case_reference
        moves(world, ref, 3, **ESSEX)
        world.send(world.met, ref, "joint-response-plan", **plan(world))
        world.send(world.stranger, ref, "plan-reply", **AGREE)
    acting.append(world.kent)
    page = client.get(f"/cases/{ref}").text
    assert "Joint response plan for the move" in page
    assert 'id="plan"' not in page, "none is agreed for where the child is"
    paper = client.get(f"/cases/{ref}/plan").text
    assert "For the move that is told ahead" in paper
    assert "Now at Essex" in paper
    assert "Now at East Kent" not in paper
    assert "For the move that is told ahead" in pack_of(client, acting, world.kent, ref)


def test_a_change_has_a_first_day_and_an_urgency_of_its_own(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, emergency=True).case_reference
    acting.append(world.social_worker)
    client.post(f"/cases/{ref}/reason", data={"reason_code": "working-on-it"})
    page = client.get(f"/cases/{ref}/send/placement-notification").text
    assert 'value="CT9 1EZ"' in page, "nothing is typed twice"
    (action,) = re.findall(r'<input[^>]* name="action"[^>]* checked', page)
    assert 'value="change"' in action
    assert not re.findall(r'<input[^>]* name="emergency"[^>]* checked', page)
    days = re.findall(r'<input[^>]* name="starts_on-[^>]*>', page)
    assert len(days) == 3
    assert not re.findall(r'value="\d', "".join(days))


def test_a_report_from_a_placement_offers_its_police_first(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        later = place(world, starts_on=day(world, 3).isoformat()).case_reference
    acting.append(world.social_worker)
    for case in (ref, later):
        client.post(f"/cases/{case}/reason", data={"reason_code": "working-on-it"})
    path = f"/cases/{ref}/send/missing-episode-report"
    page = client.get(path).text
    assert "Where the child is placed" in page
    assert f'href="{path}?to=kent/east"' in page
    assert page.index("?to=kent/east") < page.index('name="q"'), "with the search below"
    chosen = client.get(f"{path}?to=kent/east").text
    assert "To East Kent." in chosen
    page = client.get(f"{path}?q=Camden").text
    assert f"?to={MET}" in page
    page = client.get(f"/cases/{later}/send/missing-episode-report").text
    assert "Where the child is placed" not in page, "the child is not there yet"


def test_the_units_of_the_case_are_offered_where_a_form_names_one(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world).case_reference
    acting.append(world.kent)
    page = client.get(f"/cases/{ref}/send/joint-response-plan?lead={KENT}").text
    (select,) = re.findall(r'<select[^>]* name="lead_unit".*?</select>', page, re.DOTALL)
    assert re.findall(r'value="([^"]+)"( selected)?', select) == [(KENT, " selected"), (MET, "")]
    page = client.get(f"/cases/{ref}/send/strategy-meeting-invitation").text
    (field,) = re.findall(r'<input[^>]* name="attendees.0.unit"[^>]*>', page)
    (listed,) = re.findall(r' list="([^"]+)"', field)
    (known,) = re.findall(rf'<datalist id="{listed}">(.*?)</datalist>', page)
    assert set(re.findall(r'value="([^"]+)"', known)) == {KENT, MET, ISLINGTON, KENT_COUNCIL}
    words = {
        "meeting_act": "new", "section_47": "false", "held_at": "EXERCISE", "convenor": "EXERCISE",
        "meeting_purpose": "EXERCISE", "convenor_telephone": "020 7946 0201",
        "starts_at-date": day(world, 2).isoformat(), "starts_at-time": "10:00",
        "priority": "routine", "form_id": "0" * 32, "attendees.0.role": "host-authority",
        "attendees.0.unit": ESSEX_COUNCIL,
    }  # fmt: skip
    sent = client.post(f"/cases/{ref}/send/strategy-meeting-invitation", data=words)
    assert sent.status_code == 303, "a unit that is none of the case is taken too"


def test_associates_that_police_gave_stay_on_the_screen_when_the_council_renews_the_plan(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        first = world.send(world.kent, ref, "joint-response-plan", **plan(world))
        world.send(world.met, ref, "plan-reply", in_reply_to=first.message_id, **AGREE)
        words = {name: value for name, value in plan(world).items() if name != "associates"}
        second = world.send(world.social_worker, ref, "joint-response-plan", **words)
        world.send(world.met, ref, "plan-reply", in_reply_to=second.message_id, **AGREE)
    acting.append(world.kent)
    page = client.get(f"/cases/{ref}/plan").text
    assert "Associates, as version 1 gave them" in page
    assert "EXERCISE associates" in page
    acting.append(world.social_worker)
    client.post(f"/cases/{ref}/reason", data={"reason_code": "working-on-it"})
    assert "EXERCISE associates" not in client.get(f"/cases/{ref}/plan").text


def test_associates_that_police_added_stay_on_the_screen_when_the_council_amends_that_version(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        words = {name: value for name, value in plan(world).items() if name != "associates"}
        first = world.send(world.social_worker, ref, "joint-response-plan", **words)
        amends = {"answer": "amends", "named_person": "EXERCISE Inspector"}
        world.send(world.met, ref, "plan-reply", in_reply_to=first.message_id,
                   **amends, plan=plan(world))  # fmt: skip
        world.send(world.social_worker, ref, "plan-reply", **amends, plan=words)
        world.send(world.met, ref, "plan-reply", **AGREE)
    acting.append(world.met)
    assert "Associates, as version 2 gave them" in client.get(f"/cases/{ref}/plan").text


def test_an_offer_of_the_lead_is_for_the_other_side_of_the_placement_until_it_was_asked(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        world.send(world.kent, ref, "missing-episode-report", **REPORT)
    acting.append(world.kent)
    path = f"/cases/{ref}/send/lead-transfer-request"
    page = client.get(path).text
    assert "To Central North." in page
    assert re.search(r'value="find">\s*Choose another unit', page)
    page = client.get(f"{path}?q=").text
    assert page.index(f'href="{path}?to={MET}"') < page.index('name="q"')
    assert ISLINGTON not in page, "police alone lead"
    assert "home unit" in page
    with client.application.app_context():
        world.send(world.kent, ref, "lead-transfer-request", to=[MET], **OFFER)
    assert "To Central North." not in client.get(path).text, "it was asked"


def test_the_units_of_the_case_are_offered_first_to_whoever_asks_another_unit(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        world.send(world.kent, ref, "missing-episode-report", **REPORT)
    acting.append(world.met)
    path = f"/cases/{ref}/send/information-request"
    page = client.get(path).text
    offered = re.findall(rf'href="{path}\?to=([^"]+)"', page.partition('name="q"')[0])
    assert offered[0] == KENT, "who leads stands first"
    assert {ISLINGTON, KENT_COUNCIL} <= set(offered)
    assert MET not in offered
    form = client.get(f"{path}?to={KENT}").text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    typed = {**hidden, "questions": "EXERCISE words", "do": "find"}
    search = client.post(path, data=typed)
    assert search.status_code == 303
    other = re.search(
        rf'href="({path}\?[^"]*to={ISLINGTON}[^"]*)"', client.get(search.headers["Location"]).text
    )
    assert other is not None
    again = client.get(other[1].replace("&amp;", "&")).text
    assert "EXERCISE words" in again
    assert "To Islington" in again, "what was typed goes to whoever is chosen instead"


def test_the_answer_to_a_plan_quotes_the_plan(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
        sent = world.send(world.kent, ref, "joint-response-plan", **plan(world))
    acting.append(world.met)
    page = client.get(f"/cases/{ref}/send/plan-reply?re={sent.message_id}").text
    above = page.partition('enctype="multipart/form-data"')[0]
    assert "East Kent: Joint response plan" in above
    assert plan(world)["first_actions_home"] in above
    assert "Central North" in above.partition("Which unit leads")[2], "by its name"
    assert MET not in above


def test_the_address_of_a_placement_is_asked_once(
    client: FlaskClient, acting: list[Actor], world: World
) -> None:
    with client.application.app_context():
        ref = place(world, starts_on=day(world).isoformat()).case_reference
    acting.append(world.social_worker)
    client.post(f"/cases/{ref}/reason", data={"reason_code": "working-on-it"})
    for path in ("/cases/placement", f"/cases/{ref}/send/placement-notification"):
        page = client.get(path).text
        assert re.findall(r'name="([\w.]*placement_address)"', page) == ["placement_address"]
    (lacks,) = re.findall(
        r"Not given\s*</dt>\s*<dd[^>]*>([^<]*)<", client.get(f"/cases/{ref}").text
    )
    assert "Placement address" not in lacks
