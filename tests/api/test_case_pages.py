"""What the page of a case says: whom to ring, and about what."""

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import lead_settings
from tests.worlds import KENT, MET, World

AWAY = "devon-and-cornwall"
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}


@pytest.fixture
def world(database: Database, vault: Vault, someone: Callable[..., Actor]) -> World:
    return World(database, vault, someone)


@pytest.fixture
def page(client: FlaskClient, acting: list[Actor]) -> Callable[..., str]:
    """Return a function that gives a page of a case as somebody sees it."""

    def look(actor: Actor, reference: str, path: str = "") -> str:
        acting.append(actor)
        client.post(f"/cases/{reference}/reason", data={"reason_code": "working-on-it"})
        reply = client.get(f"/cases/{reference}{path}")
        assert reply.status_code == 200, reply.status
        return reply.text

    return look


def test_a_unit_is_rung_once_about_everything_and_each_matter_says_which_message_it_is(
    page: Callable[..., str], world: World
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], priority="urgent", **OFFER)
    world.send(world.met, ref, "information-request", to=[AWAY], questions="EXERCISE")
    shown = page(world.met, ref)
    (box,) = re.findall(r'<section class="hub-call".*?</section>', shown, re.DOTALL)
    assert box.count("Ring Devon &amp; Cornwall Police") == 1
    for number, name in ((2, "Offer of the lead"), (3, "Questions or enquiries")):
        assert re.search(
            f'<a [^>]*href="#message-{number}">About message {number}: {name}</a>', box
        )
        assert f"/script/{number}?unit={AWAY}" in box
        assert f"about message {number}</span></a>" in box, "each button says which it is"
    dialled = re.findall(r'href="tel:([^"]+)"', box)
    assert len(dialled) == len(set(dialled)) > 0


def test_what_somebody_waits_for_stands_at_the_top_below_an_urgent_call_alone(
    page: Callable[..., str], world: World
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "information-request", to=[AWAY], questions="EXERCISE")
    shown = page(world.met, ref)
    assert 'href="#acts">What you can do now</a>' in shown.partition('class="hub-state"')[0]
    assert shown.index('id="acts"') > shown.index("Ring Devon"), "it is not urgent"

    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    shown = page(world.kent, ref)
    top = shown.partition('class="hub-state"')[0]
    for act in ("Accept the lead", "Decline the lead", "Say by when you decide"):
        assert top.count(f">{act}</a>") == 1
        assert shown.count(f">{act}</a>") == 1
    assert 'href="#acts">What else you can do</a>' in top
    assert ">What else you can do</h2>" in shown

    world.send(world.kent, ref, "information-request", to=[AWAY], questions="EXERCISE",
               immediate_action=True)  # fmt: skip
    shown = page(world.kent, ref)
    jump, box, acts = (
        shown.index(what)
        for what in (
            'href="#main-acts"',
            "Ring Devon &amp; Cornwall Police",
            ">Accept the lead</a>",
        )
    )
    assert jump < box < acts


def test_the_unit_that_is_told_after_three_days_stands_below_who_is_rung_now_and_without_999(
    page: Callable[..., str], world: World
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], priority="urgent", **OFFER)
    world.send(world.met, ref, "information-request", to=["hampshire"], questions="EXERCISE")
    shown = page(world.met, ref)
    steps = shown.partition('id="owing"')[2].partition("</section>")[0]
    assert re.findall(r'href="tel:([^"]+)"', steps), "it can be rung from its own place"
    assert "999" not in steps
    assert shown.rindex('class="hub-call"') < shown.index('id="owing"')


def test_a_form_of_an_answer_quotes_the_offer_that_it_answers(
    page: Callable[..., str], world: World
) -> None:
    ref = world.open(world.met).case_reference
    words = {**OFFER, "circumstances": "EXERCISE: seen in Margate"}
    offer = world.send(
        world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **words
    )
    for answer in ("lead-transfer-accept", "lead-transfer-decline", "holding-reply"):
        shown = page(world.kent, ref, f"/send/{answer}?re={offer.message_id}")
        above = shown.partition('enctype="multipart/form-data"')[0]
        assert "Central North: Offer of the lead" in above
        assert "EXERCISE: seen in Margate" in above


def test_recording_a_report_has_one_name_on_its_button_its_form_and_its_sending(
    page: Callable[..., str], world: World
) -> None:
    ref = world.open(world.social_worker, to=[MET]).case_reference
    (address,) = re.findall(
        rf'href="/cases/{ref}(/send/missing-episode-report[^"]*)">([^<]*)</a>',
        page(world.met, ref),
    )
    assert address[1] == "Record the report"
    form = page(world.met, ref, address[0])
    assert re.search(r"<h1[^>]*>Record the report</h1>", form)
    assert re.search(r"<button[^>]*>\s*Record the report: my unit leads\s*</button>", form)
    assert ">Report a child missing</h1>" in page(
        world.social_worker, ref, "/send/missing-episode-report?to=kent/east"
    )


def test_what_to_say_on_the_telephone_opens_no_message_that_it_does_not_show(
    page: Callable[..., str], world: World
) -> None:
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], priority="urgent", **OFFER)
    asked = world.send(
        world.kent, ref, "information-request", to=[MET], questions="EXERCISE", priority="urgent"
    )
    page(world.met, ref, "/script/2")
    facts = {r.unit.code: r.facts for m in world.case(world.kent, ref).messages
             if m.id == asked.message_id for r in m.recipients}  # fmt: skip
    assert "opened" not in facts[MET], "nobody saw it"
    page(world.met, ref)
    facts = {r.unit.code: r.facts for m in world.case(world.kent, ref).messages
             if m.id == asked.message_id for r in m.recipients}  # fmt: skip
    assert "opened" in facts[MET]


def test_the_form_of_a_signed_reply_asks_for_the_supervisor_of_an_acceptance_alone(
    page: Callable[..., str], client: FlaskClient, world: World, someone: Callable[..., Actor]
) -> None:
    with world.database.unit_of_work() as session:
        lead_settings.decide(
            session, someone(AWAY, "administrator"), world.vault, {},
            supervisor_authorises=True, national=False, why="EXERCISE", now=world.now,
        )  # fmt: skip
    ref = world.open(world.met).case_reference
    world.send(world.met, ref, "lead-transfer-request", to=[AWAY], **OFFER)
    world.send(world.met, ref, "information-request", to=[AWAY], questions="EXERCISE")
    assert 'name="supervisor"' in page(world.met, ref, "/signed-reply/2")
    assert 'name="supervisor"' not in page(world.met, ref, "/signed-reply/3")

    def attach(**more: str) -> TestResponse:
        paper = (BytesIO(b"%PDF-1.7 signed %%EOF"), "reply.pdf")
        signed = {"answer": "accept", "officer_name": "EXERCISE", "officer_collar_number": "1"}
        return client.post(f"/cases/{ref}/signed-reply/2", data={**signed, **more, "file": paper})

    refused = attach()
    assert refused.status_code == 422
    assert 'id="supervisor-error"' in refused.text
    attached = attach(supervisor="EXERCISE Superintendent")
    assert attached.status_code == 303
    shown = page(world.met, ref)
    (path,) = set(re.findall(r'href="(/cases/signed-replies/[^"/]+)"', shown))
    assert "EXERCISE Superintendent" in client.get(path).text
