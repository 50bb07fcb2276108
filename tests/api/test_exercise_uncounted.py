"""An exercise counts in no figure: whoever is signed in for actual cases sees the same (issue 4.9)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

import hub.web.context
import hub.web.guards
from directory import editing, problems, suggestions
from directory.entry_contracts import ContactIn
from hub.app import create_app
from hub.clock import utcnow
from hub.db import Database
from hub.identity.actor import PUBLIC, Actor
from hub.organisations import find_unit
from hub.records.keys import Keys
from hub.records.vault import Vault
from hub.settings import Settings
from messaging import alarms
from tests.integration.test_meetings import RECORD, REPLY, called
from tests.worlds import ISLINGTON, KENT, MET, World

VARIES = re.compile(r'(?:name="(?:csrf_token|form_id)" value|data-mark)="[^"]*"')
"""What each showing of a page has of its own."""

WHO = (
    (KENT, "supervisor"), ("kent", "directory-editor"), ("npcc/missing-persons", "adjudicator"),
    ("npcc/missing-persons", "national-administrator"), (ISLINGTON, "practitioner"),
)  # fmt: skip
FEEDS = ("/metrics", "/api/v1/openapi.json", "/api/v1/directory/changes")
"""What is no figure: the process's own, what is the same for all, and the directory's versions."""


def exercise(world: World) -> str:
    """Run an exercise of all that figures are made of; return its case."""
    ref, invited = called(world, hours=1)
    world.send(world.kent, ref, REPLY, attendance="declined", person="x", reason="EXERCISE")
    asked = world.send(world.met, ref, "information-request", to=[KENT], questions="EXERCISE",
                       immediate_action=True)  # fmt: skip
    assert asked.urgent
    editor = world.someone("kent", "directory-editor")
    reader = world.someone(MET, "practitioner")
    with world.database.unit_of_work() as session:
        unit = find_unit(session, KENT)
        assert unit is not None
        contacts = [
            ContactIn.model_validate(
                {"purpose": purpose, "channel": "telephone", "value": "01632 960001"}
            )
            for purpose in ("missing-children-team", "duty-inspector")
        ]
        made = editing.add_contact(session, editor, unit.id, contacts[0], why="EXERCISE",
                                   now=world.now, checked=True)  # fmt: skip
        problems.report(session, reader, made.id, kind="rang-out", note="", now=world.now)
        suggestions.suggest(session, reader, unit.id, contacts[1], now=world.now)
    with world.database.unit_of_work() as session:
        assert alarms.escalate(session, world.now + timedelta(hours=3))
    world.now += timedelta(hours=2)
    world.send(world.met, ref, RECORD, in_reply_to=invited.message_id, decisions="EXERCISE",
               attendance=[{"unit": KENT, "attended": "absent"}])  # fmt: skip
    return ref


def test_every_list_and_figure_is_the_same_before_and_after_an_exercise(
    database: Database, vault: Vault, someone: Callable[..., Actor], settings: Settings,
    keys: Keys, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    acting: list[Actor] = [PUBLIC]
    at = utcnow() + timedelta(hours=4)
    monkeypatch.setattr(hub.web.guards, "from_cookie", lambda: acting[-1])
    monkeypatch.setattr(hub.web.guards, "_from_token", lambda *_: acting[-1])
    monkeypatch.setattr(hub.web.context, "utcnow", lambda: at)
    people = [someone(unit, role, status="actual") for unit, role in WHO]
    drilled = someone(KENT, "supervisor")
    world = World(database, vault, someone)

    def shown() -> dict[tuple[str, str], str]:
        """Return every page and list that names no case, as each of them is shown it."""
        app = create_app(settings, keys=keys)
        app.config["WTF_CSRF_ENABLED"] = False
        client, found = app.test_client(), {}
        for rule in app.url_map.iter_rules():
            if rule.arguments or "GET" not in (rule.methods or ()) or rule.rule in FEEDS:
                continue
            for person in [*people, drilled]:
                acting.append(person)
                client.set_cookie("hub_session", str(person.id))
                reply = client.get(rule.rule)
                assert reply.status_code < 500, rule.rule
                if reply.status_code == 200:
                    key = (rule.rule, f"{person.status} {min(person.roles)}")
                    found[key] = VARIES.sub("", reply.text)
        app.extensions["hub"].database.dispose()
        return found

    before = shown()
    ref = exercise(world)
    after = shown()
    drills = {path for path, who in after if who == "exercise supervisor"}
    seen = {key for key in after if after[key] != before.get(key)}
    # Whoever is in the exercise sees it, so that this test would see it counted.
    assert {"/inbox", "/board", "/cases"} <= {path for path, who in seen if who[0] == "e"}
    assert {"/inbox", "/board", "/cases", "/exercise", "/meetings/empty-chairs"} <= drills
    assert sorted(key for key in seen if key[1].startswith("actual")) == []
    assert before.keys() == after.keys()
    assert not any(ref in text for (_, who), text in after.items() if who.startswith("actual"))
    figures = {path for path, who in after if who == "actual adjudicator"}
    assert {"/directory/nation", "/meetings/empty-chairs"} <= figures, figures


def test_the_processs_own_figures_name_no_case_and_count_none(
    database: Database, vault: Vault, someone: Callable[..., Actor], settings: Settings, keys: Keys
) -> None:
    world = World(database, vault, someone)
    ref = world.open(world.met).case_reference
    app = create_app(settings, keys=keys)
    client = app.test_client()
    client.get(f"/cases/{ref}")
    text = client.get("/metrics").text
    app.extensions["hub"].database.dispose()
    assert 'route="/cases/<reference>"' in text
    assert ref not in text
    ours = set(re.findall(r"^# TYPE (hub_\w+) ", text, re.MULTILINE))
    assert ours <= {"hub_reply_seconds", "hub_reply_seconds_created"}, (
        "a figure that counts cases must leave exercises out: say so here once it does"
    )
