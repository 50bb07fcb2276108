"""The handover pack: on record before it goes, marked on every page, its reader's part alone."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pypdf
from flask.testing import FlaskClient
from sqlalchemy import select, text

from hub.db import Database
from hub.identity.actor import Actor
from hub.records.model import AuditRecord
from hub.records.vault import Vault
from messaging import wording
from tests.integration.test_meetings import RECORD_WORDS
from tests.integration.test_meetings import words as meeting
from tests.integration.test_placements import day, place, plan
from tests.worlds import KENT, REPORT, World

WHY = {"purpose": "court", "why": "EXERCISE hearing"}


def test_a_pack_is_marked_and_on_record(
    client: FlaskClient, acting: list[Actor], database: Database, vault: Vault,
    someone: Callable[..., Actor], tmp_path: Path,
) -> None:  # fmt: skip
    world = World(database, vault, someone)
    ref = world.open(world.social_worker, to=["kent/east"]).case_reference
    acting.append(world.kent)
    assert client.post(f"/cases/{ref}/pack.pdf", data={"purpose": "court"}).status_code == 422
    assert client.get(f"/cases/{ref}/pack.pdf").status_code == 303
    with database.unit_of_work() as session:
        assert not session.scalars(select(AuditRecord.id).filter_by(action="disclosure")).all()
    reply = client.post(f"/cases/{ref}/pack.pdf", data=WHY)
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert ref in reply.headers["Content-Disposition"]
    pages = pypdf.PdfReader(io.BytesIO(reply.data)).pages
    texts = [" ".join(one.extract_text().split()) for one in pages]
    for number, words in enumerate(texts, 1):
        assert "EXERCISE EXERCISE EXERCISE" in words
        assert "OFFICIAL" in words
        assert f"Printed by {world.kent.name}" in words
        assert f"Page {number} of {len(texts)}" in words
    assert "EXERCISE associate" in " ".join(texts)
    with database.unit_of_work() as session:
        (row,) = session.scalars(select(AuditRecord).filter_by(action="disclosure")).all()
        assert (row.who_id, row.reason_code) == (world.kent.id, "court")
        assert row.reason
    acting.append(world.stranger)
    assert client.post(f"/cases/{ref}/pack.pdf", data=WHY).status_code == 404
    assert client.get(f"/cases/{ref}/pack").status_code == 404


def pack_of(client: FlaskClient, acting: list[Actor], reader: Actor, ref: str) -> str:
    acting.append(reader)
    reply = client.post(f"/cases/{ref}/pack.pdf", data=WHY)
    assert reply.status_code == 200, reply.text
    pages = pypdf.PdfReader(io.BytesIO(reply.data)).pages
    return " ".join(" ".join(one.extract_text().split()) for one in pages)


def whole_case(world: World) -> str:
    """Return a case with a plan, a meeting with actions, a dispute, and an interview on record."""
    at = (world.now - timedelta(hours=2)).isoformat()
    ref = place(world, starts_on=day(world, 3).isoformat()).case_reference
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", answer="declines", named_person="EXERCISE Inspector",
               reason="EXERCISE too far")  # fmt: skip
    world.send(world.met, ref, "joint-response-plan", **plan(world))
    world.send(world.kent, ref, "plan-reply", answer="agrees", named_person="EXERCISE Inspector")
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    world.send(world.met, ref, "located", located_at=at, seen_by="EXERCISE PC", place="EXERCISE",
               how="police")  # fmt: skip
    world.send(world.met, ref, "interview-record", interview="prevention", how="not-done",
               reason="EXERCISE asleep")  # fmt: skip
    world.send(world.met, ref, "missing-episode-report", **REPORT)
    invited = world.send(world.met, ref, "strategy-meeting-invitation", **meeting(world, 1))
    world.now += timedelta(hours=3)
    due = (world.now + timedelta(days=1)).isoformat()
    rows = [{"what": "EXERCISE bus CCTV", "owner": "lead", "due": due},
            {"what": "EXERCISE the school", "owner": KENT, "due": due}]  # fmt: skip
    world.send(world.met, ref, "strategy-meeting-record", in_reply_to=invited.message_id,
               actions=rows, **RECORD_WORDS)  # fmt: skip
    with world.database.unit_of_work() as session:
        done = session.execute(text("SELECT id FROM action WHERE number = 2")).scalar_one()
    world.send(world.kent, ref, "update", heading="action", text="EXERCISE", action_done=str(done))
    world.send(world.met, ref, "lead-transfer-request", to=[KENT], circumstances="EXERCISE",
               rationale="majority-of-enquiries", live_lines="EXERCISE bank card")  # fmt: skip
    world.send(world.kent, ref, "lead-transfer-decline", reason="wrong-area")
    world.send(world.met, ref, "dispute", to=[KENT], grounds="EXERCISE grounds")
    return ref


def test_it_holds_what_its_reader_may_see_of_every_kind_and_no_more(
    client: FlaskClient, acting: list[Actor], database: Database, vault: Vault,
    someone: Callable[..., Actor],
) -> None:  # fmt: skip
    world = World(database, vault, someone)
    with client.application.app_context():
        ref = whole_case(world)
    full = pack_of(client, acting, world.kent, ref)
    for said in (
        "EXERCISE grounds", "Begins on", "In force", "Version 1 Declined", "Version 2 Agreed",
        "EXERCISE decisions", "EXERCISE bus CCTV", "goes with the lead", "Done, ",
        "EXERCISE asleep", "Return home interview, episode 1", "Supervisor’s review",
        "EXERCISE bank card", "EXERCISE associates",
    ):  # fmt: skip
        assert said in full, said
    council = pack_of(client, acting, world.social_worker, ref)
    assert "EXERCISE decisions" in council
    assert "Its reasons are for others (message 15)." in council
    assert "Part of this message is for others." in council
    for hidden in ("EXERCISE grounds", "EXERCISE bank card", "EXERCISE associates"):
        assert hidden not in council
    world.send(world.met, ref, "information-request", to=["essex"], questions="EXERCISE bus?")
    shown = [full]
    for where in ("inbox", "board", f"cases/{ref}", f"cases/{ref}/timeline", f"cases/{ref}/plan"):
        acting.append(world.kent)
        page = client.get(f"/{where}")
        assert page.status_code == 200, where
        shown.append(re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", page.text, flags=re.DOTALL))
    times = re.findall(r"\d\d:\d\d(?: [A-Z]{3})?", " ".join(shown))
    assert len(times) > 100
    assert {one[5:] for one in times} <= {" GMT", " BST"}
    part = pack_of(client, acting, world.stranger, ref)
    assert "EXERCISE bus?" in part
    assert "sees a part of this case" in part
    for hidden in ("EXERCISE decisions", "EXERCISE bus CCTV", "In force", "EXERCISE asleep",
                   "Supervisor’s review", "EXERCISE child"):  # fmt: skip
        assert hidden not in part


def test_officers_who_handed_over_stay_on_the_page_the_timeline_and_the_pack(
    client: FlaskClient, acting: list[Actor], database: Database, vault: Vault,
    someone: Callable[..., Actor],
) -> None:  # fmt: skip
    world = World(database, vault, someone)
    ref = world.open(world.met, [KENT], named_officer="EXERCISE first").case_reference
    for to in ("EXERCISE second", "EXERCISE third"):
        world.now += timedelta(hours=1)
        world.send(world.met, ref, "officer-handover", to_officer=to)
    [tenure] = world.case(world.kent, ref).tenures
    first, second, third = (wording.moment(one.since) for one in tenure.officers)
    printed = pack_of(client, acting, world.kent, ref)
    page, timeline = (
        " ".join(re.sub(r"<[^>]*>", " ", client.get(f"/cases/{ref}{tail}").text).split())
        for tail in ("", "/timeline")
    )
    for shown in (printed, page):
        assert f"EXERCISE first, {first} to {second}" in shown
        assert f"EXERCISE second, {second} to {third}" in shown
        assert f"EXERCISE third, from {third}" in shown
    unit = tenure.unit.name
    assert f"{first} {second} Who led {unit}: EXERCISE first Message 1" in timeline
    assert f"{second} {third} Who led {unit}: EXERCISE second Message 2" in timeline
    assert f"{third} goes on Who led {unit}: EXERCISE third Message 3" in timeline
