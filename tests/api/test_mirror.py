"""A mirror that polls while many write equals the directory, and misses nothing (issue 3, item 9).

Writers on connections of their own change contacts, units, organisations, coverage and reports at
random. One holds its transaction open while others commit, so that what it wrote first is to be
seen last. Mirrors of each audience poll all the while, at two processes that are not equally fresh.
"""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from directory import editing, entry_contracts, holder, problems, reorganisations
from directory.documents import Documents
from directory.entry_contracts import Audience, ContactIn
from directory.model import AUDIENCES, ContactPoint
from directory.reorganising import ReorganisationIn
from directory.rows import read_rows
from hub.app import create_app
from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.errors import HubError
from hub.organisations import Unit
from hub.records.keys import Keys
from hub.settings import Settings
from hub.web import paging, ratelimit
from tests.api.conftest import Partner
from tests.conftest import Someone

CHANGES = "/api/v1/directory/changes"
ACTS = 25
Held = dict[tuple[str, str], dict[str, Any]]


@dataclass
class Mirror:
    """A partner's copy: each object as it last came, and the cursor."""

    ask: Callable[[int, str], Any]
    held: Held = field(default_factory=dict)
    after: str | None = None
    last: tuple[int, str, str] = (-1, "", "")
    version: int = -1

    def poll(self, process: int = 0, limit: int = 200) -> None:
        """Read on to the end, at one of the processes."""
        while True:
            cursor = f"&after={self.after}" if self.after else ""
            reply = self.ask(process, f"{CHANGES}?limit={limit}{cursor}")
            assert reply.status_code == 200, reply.text
            page = reply.get_json()
            for change in page["changes"]:
                here = (change["version"], change["kind"], change["id"])
                assert here > self.last  # the order of commits, and none twice
                self.last = here
                self.held[here[1], here[2]] = change[here[1]]
            self.after = page["next"]
            if not page["more"]:
                self.version = max(self.version, page["version"])
                return


@pytest.fixture
def processes(app: Flask, settings: Settings, keys: Keys) -> Iterator[list[Flask]]:
    other = create_app(settings, keys=keys)
    yield [app, other]
    other.extensions["hub"].database.dispose()
    other.extensions["hub"].redis.close()


@pytest.fixture
def mirrors(
    processes: list[Flask], partner: Callable[..., Partner], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Mirror]:
    """Return a mirror of each audience, by its widest tier."""
    monkeypatch.setattr(ratelimit, "PUBLIC_PER_WINDOW", 1_000_000)
    monkeypatch.setattr(holder, "POLL_SECONDS", 0.05)
    tokens = {
        "public": None,
        "professional": partner("E10000016/childrens-social-care").token,
        "police": partner("metropolitan/central-north").token,
    }

    def asker(token: str | None) -> Callable[[int, str], Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return lambda process, path: processes[process].test_client().get(path, headers=headers)

    return {tier: Mirror(asker(token)) for tier, token in tokens.items()}


def source(database: Database, tier: str, now: datetime) -> tuple[int, Held]:
    """Return the directory as the database has it, for the audiences up to a tier."""
    audiences = frozenset(AUDIENCES[: AUDIENCES.index(tier) + 1])
    rows = read_rows(database, now)
    there = Documents(rows, now.astimezone(LONDON).date(), timedelta(days=90))
    held: Held = {}
    for kind, table in (("organisation", "organisations"), ("unit", "units"), ("area", "areas")):
        for row in rows.tables[table]:
            document = there.document(kind, row["id"], audiences)  # type: ignore[arg-type]
            held[kind, str(row["id"])] = document.model_dump(mode="json")
    return rows.version, held


def contacts(database: Database, tier: str) -> set[tuple[str, str, int]]:
    """Return unit, value and version of each open contact up to a tier, in plain SQL."""
    with database.unit_of_work() as session:
        rows = session.execute(
            text("SELECT unit_id::text, value, version FROM contact_point WHERE status = 'actual'"
                 " AND closed_at IS NULL AND valid_to IS NULL AND audience = ANY(:tiers)"),
            {"tiers": list(AUDIENCES[: AUDIENCES.index(tier) + 1])},
        )  # fmt: skip
        return {(row[0], row[1], row[2]) for row in rows}


def test_a_mirror_of_random_edits_by_many_writers_is_exact(
    database: Database, app_url: str, someone: Someone, mirrors: dict[str, Mirror]
) -> None:
    writing = Database(app_url, pool_size=10)
    writers = [
        Writer(writing, someone, code, seed)
        for seed, code in enumerate(("kent", "essex", "kent", "metropolitan"))
    ]
    slow = threading.Thread(target=_hold_open, args=(writing, writers))
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for mirror in mirrors.values():
        mirror.poll()
    for thread in (slow, *threads):
        thread.start()
    draw = random.Random(9)
    while slow.is_alive() or any(thread.is_alive() for thread in threads):
        for mirror in mirrors.values():
            mirror.poll(draw.randrange(2), draw.choice((1, 3, 50)))
        tier = draw.choice(AUDIENCES)
        version, held = source(database, tier, utcnow())
        if version == mirrors[tier].version:
            assert mirrors[tier].held == held
    for thread in (slow, *threads):
        thread.join()
    writing.dispose()
    assert [writer.failed for writer in writers] == [None] * len(writers)
    assert sum(writer.done for writer in writers) > ACTS
    for tier, mirror in mirrors.items():
        for process in (0, 1):
            _until(mirror, process, source(database, tier, utcnow())[0])
        assert mirror.held == source(database, tier, utcnow())[1]
        assert contacts(database, tier) == {
            (id_, one["value"], one["version"])
            for (kind, id_), unit in mirror.held.items()
            if kind == "unit"
            for one in unit["contacts"]
            if one["valid_to"] is None
        }


def test_what_was_written_first_and_committed_last_is_not_missed(
    database: Database, mirrors: dict[str, Mirror]
) -> None:
    mirror = mirrors["public"]
    mirror.poll()
    with database.unit_of_work() as slow:
        slow.execute(
            text("UPDATE organisation SET website = 'https://a.test/' WHERE code = 'kent'")
        )
        with database.unit_of_work() as quick:
            quick.execute(
                text("UPDATE organisation SET website = 'https://b.test/' WHERE code = 'essex'")
            )
        _until(mirror, 0, source(database, "public", utcnow())[0])
        assert _websites(mirror, "kent", "essex")[1] == "https://b.test/"
    _until(mirror, 1, source(database, "public", utcnow())[0])
    assert _websites(mirror, "kent", "essex") == ["https://a.test/", "https://b.test/"]


def test_a_contact_that_leaves_an_audience_leaves_its_mirrors_and_tells_nothing(
    database: Database, someone: Someone, mirrors: dict[str, Mirror]
) -> None:
    editor = someone("kent", "directory-editor", status="actual")
    given = ContactIn(
        purpose="coordinator", channel="telephone", value="01632 960001", audience="public"
    )
    with database.unit_of_work() as session:
        east = session.scalars(select(Unit).where(Unit.code == "kent/east")).one()
        added = editing.add_contact(session, editor, east.id, given, why="added", now=utcnow())
    for mirror in mirrors.values():
        _until(mirror, 0, source(database, "public", utcnow())[0])
        assert [one["value"] for one in _unit(mirror, east.id)["contacts"]] == ["01632 960001"]
    hidden = given.model_copy(update={"audience": "police", "value": "01632 960002"})
    with database.unit_of_work() as session:
        editing.change_contact(
            session, editor, added.id, hidden, version=1, why="for police", now=utcnow()
        )
    pages: list[str] = []
    for tier, mirror in mirrors.items():
        asked = mirror.ask

        def listening(
            process: int, path: str, ask: Callable[[int, str], Any] = asked, tier: str = tier
        ) -> Any:
            reply = ask(process, path)
            pages.extend([reply.text] if tier != "police" else [])
            return reply

        mirror.ask = listening
        _until(mirror, 0, source(database, "public", utcnow())[0])
    values = {
        tier: [one["value"] for one in _unit(mirror, east.id)["contacts"]]
        for tier, mirror in mirrors.items()
    }
    assert values == {"public": [], "professional": [], "police": ["01632 960002"]}
    assert str(east.id) in "".join(pages)
    assert "01632 960002" not in "".join(pages)


def test_no_kind_of_change_goes_by_unseen(
    database: Database, someone: Someone, mirrors: dict[str, Mirror]
) -> None:
    """Each alone, so that nothing else of the same unit brings it along."""
    mirror, writer = mirrors["police"], Writer(database, someone, "kent", 1)
    before = {}
    for act in (
        writer.add, writer.report, writer.answer, writer.confirm, writer.bounce, writer.change,
        writer.also_called, writer.rename, writer.merge, writer.move, writer.close,
    ):  # fmt: skip
        _until_done(act)
        version, held = source(database, "police", utcnow())
        assert held != before, act
        _until(mirror, 0, version)
        assert mirror.held == held, act
        before = held


def test_what_is_dated_to_come_is_told_ahead(
    database: Database, someone: Someone, mirrors: dict[str, Mirror]
) -> None:
    mirror, editor = mirrors["public"], someone("kent", "directory-editor", status="actual")
    day = utcnow().astimezone(LONDON).date() + timedelta(days=30)
    with database.unit_of_work() as session:
        east = session.scalars(select(Unit).where(Unit.code == "kent/east")).one()
        rename = ReorganisationIn(
            kind="rename", effective_on=day, units=[east.id], name="EXERCISE Coast"
        )
        reorganisations.reorganise(
            session, editor, east.organisation_id, rename, why="EXERCISE", now=utcnow()
        )
    _until(mirror, 0, source(database, "public", utcnow())[0])
    told = _unit(mirror, east.id)
    assert (told["name"], told["renaming"]) == (
        "East Kent", {"name": "EXERCISE Coast", "effective_on": day.isoformat()}
    )  # fmt: skip


def test_a_cursor_is_one_audiences_and_never_ahead_of_the_directory(
    mirrors: dict[str, Mirror],
) -> None:
    public, police = mirrors["public"], mirrors["police"]
    public.poll()
    for ask, after, status, code in (
        (police.ask, public.after, 409, "mirror-of-another-audience"),
        (public.ask, paging.encode(10**12, "~", "", "public"), 409, "mirror-ahead"),
        (public.ask, paging.encode("1", "~", "", "public"), 422, "cursor"),
        (public.ask, paging.encode(1, 2, 3, 4), 422, "cursor"),
        (public.ask, "1", 422, "cursor"),
    ):
        reply = ask(0, f"{CHANGES}?after={after}")
        assert (reply.status_code, reply.get_json()["code"]) == (status, code)


def _websites(mirror: Mirror, *codes: str) -> list[str]:
    found = {one["code"]: one["website"] for (kind, _), one in mirror.held.items()
             if kind == "organisation"}  # fmt: skip
    return [found[code] for code in codes]


def _unit(mirror: Mirror, unit_id: UUID) -> dict[str, Any]:
    return mirror.held["unit", str(unit_id)]


def _until_done(act: Callable[[datetime], None]) -> None:
    for _ in range(50):
        try:
            act(utcnow())
        except HubError as refused:  # a move to where it is already, say: draw again
            assert refused.status in (409, 422)
        else:
            return
    raise AssertionError(f"always refused: {act}")


def _until(mirror: Mirror, process: int, version: int) -> None:
    for _ in range(200):
        mirror.poll(process)
        if mirror.version >= version:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the process never read on")


def _hold_open(database: Database, writers: list["Writer"]) -> None:
    """Change Surrey's entry first of all, and commit only after the others have gone on."""
    while any(writer.going for writer in writers):
        with database.unit_of_work() as session:
            session.execute(
                text("UPDATE organisation SET website = :site WHERE code = 'surrey'"),
                {"site": f"https://example.org/{random.random()}"},
            )
            session.execute(text("UPDATE unit SET version = version + 1 WHERE code = 'surrey'"))
            begun = sum(writer.done for writer in writers)
            for _ in range(1000):
                if sum(writer.done for writer in writers) >= begun + 12:
                    break
                if not any(writer.going for writer in writers):
                    break
                threading.Event().wait(0.005)


class Writer:
    """An editor of a force who does whatever editors do, in any order."""

    def __init__(self, database: Database, someone: Someone, code: str, seed: int) -> None:
        self.database, self.code = database, code
        self.draw = random.Random(seed)
        self.editor = someone(code, "directory-editor", status="actual")
        self.readers = [someone(unit, status="actual") for unit in ("surrey", "essex", "kent/east")]
        self.done = 0
        self.going = True
        self.failed: BaseException | None = None

    def run(self) -> None:
        acts = (
            self.add, self.add, self.change, self.change, self.change, self.close, self.report,
            self.answer, self.confirm, self.also_called, self.bounce, self.rename, self.merge, self.move,
        )  # fmt: skip
        try:
            for _ in range(ACTS):
                try:
                    self.draw.choice(acts)(utcnow())
                except HubError as refused:
                    assert refused.status in (409, 422), refused.code
                else:
                    self.done += 1
        except BaseException as error:
            self.failed = error
        finally:
            self.going = False

    def add(self, now: datetime) -> None:
        unit_id = self._unit()
        with self.database.unit_of_work() as session:
            editing.add_contact(session, self.editor, unit_id, self._given(), why="added", now=now)

    def change(self, now: datetime) -> None:
        contact = self._contact()
        with self.database.unit_of_work() as session:
            editing.change_contact(
                session, self.editor, contact.id, self._given(), version=contact.version,
                why="changed", now=now, checked=self.draw.random() < 0.5,
            )  # fmt: skip

    def close(self, now: datetime) -> None:
        contact = self._contact()
        today = now.astimezone(LONDON).date()
        with self.database.unit_of_work() as session:
            editing.close_contact(
                session, self.editor, contact.id, version=contact.version, why="closed", now=now,
                on=today + timedelta(days=self.draw.choice((0, 3))),
            )  # fmt: skip

    def report(self, now: datetime) -> None:
        contact = self._contact()
        with self.database.unit_of_work() as session:
            problems.report(
                session, self.draw.choice(self.readers), contact.id, kind="rang-out", note="",
                now=now,
            )  # fmt: skip

    def answer(self, now: datetime) -> None:
        contact = self._contact()
        with self.database.unit_of_work() as session:
            problems.answer(session, self.editor, contact.id, answer="works", now=now)

    def confirm(self, now: datetime) -> None:
        with self.database.unit_of_work() as session:
            editing.confirm_contacts(session, self.editor, self._contact().unit_id, now)

    def also_called(self, now: datetime) -> None:
        unit_id = self._unit()
        given = entry_contracts.UnitIn(
            kind_label="EXERCISE", other_names=[f"EXERCISE {self.draw.randrange(99)}"]
        )
        with self.database.unit_of_work() as session:
            editing.change_unit(
                session, self.editor, unit_id, given, version=None, why="named", now=now
            )

    def bounce(self, now: datetime) -> None:
        contact = self._contact()
        with self.database.unit_of_work() as session:
            session.execute(
                text("UPDATE contact_point SET bounced_at = :now WHERE id = :id"),
                {"now": now, "id": contact.id},
            )

    def rename(self, now: datetime) -> None:
        self._reorganise("rename", now)

    def merge(self, now: datetime) -> None:
        self._reorganise("merge", now)

    def move(self, now: datetime) -> None:
        self._reorganise("move", now)

    def _reorganise(self, kind: Literal["rename", "merge", "move"], now: datetime) -> None:
        day = now.astimezone(LONDON).date() + timedelta(days=self.draw.choice((0, 5)))
        with self.database.unit_of_work() as session:
            organisation = self.editor.organisation_id
            assert organisation is not None
            units = list(reorganisations.units_on(session, organisation, day))
            areas = list(reorganisations.areas_of(session, organisation, day))
            if len(units) < 2:
                raise HubError("merged-all", 409, "There is one unit left.")
            wanted = ReorganisationIn(
                kind=kind,
                effective_on=day,
                units=self.draw.sample(units, {"rename": 1, "merge": 2}.get(kind, 0)),
                name=f"EXERCISE {self.draw.randrange(10_000)}" if kind != "move" else "",
                areas=[self.draw.choice(areas)] if kind == "move" else [],
                to=self.draw.choice(units) if kind == "move" else None,
            )
            reorganisations.reorganise(
                session, self.editor, organisation, wanted, why="EXERCISE", now=now
            )

    def _given(self) -> ContactIn:
        audience: Audience = self.draw.choice(AUDIENCES)  # type: ignore[assignment]
        return ContactIn(
            purpose="coordinator", channel="telephone", audience=audience,
            value=f"01632 960{self.draw.randrange(1000):03}",
        )  # fmt: skip

    def _unit(self) -> UUID:
        with self.database.unit_of_work() as session:
            units = session.scalars(
                select(Unit.id).where(
                    Unit.organisation_id == self.editor.organisation_id, Unit.valid_to.is_(None)
                ).order_by(Unit.code)
            )  # fmt: skip
            return self.draw.choice(list(units))

    def _contact(self) -> ContactPoint:
        with self.database.unit_of_work() as session:
            found = session.scalars(
                select(ContactPoint)
                .join(Unit, Unit.id == ContactPoint.unit_id)
                .where(
                    Unit.organisation_id == self.editor.organisation_id,
                    ContactPoint.closed_at.is_(None),
                )
                .order_by(ContactPoint.id)
            )
            there = list(found)
        if not there:
            raise HubError("none-yet", 409, "There is no contact yet.")
        return self.draw.choice(there)
