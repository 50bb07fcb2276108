"""Attachments: for those they are for, on record, unalterable, gone with their case's key."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from hub.db import Database, sqlalchemy_url
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import attachments, downloads, sending
from messaging.attachments import Label, Place, examine
from messaging.contracts import Command
from messaging.encrypted_files import CHUNK_BYTES
from tests.documents import PDF, picture
from tests.worlds import ACCEPT, ISLINGTON, KENT, REPORT, World, refused

LONG = PDF[:9] + b"EXERCISE " * 70_000 + b"%%EOF\n"
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE"}
UPDATE = {"heading": "other", "text": "EXERCISE"}


class Files(World):
    """A case of the Met, and files that go with its messages."""

    def __init__(self, database: Database, vault: Vault, someone: Callable[..., Actor]) -> None:
        super().__init__(database, vault, someone)
        self.reference = self.open(self.met).case_reference

    def upload(
        self, actor: Actor, content: bytes = PDF, kind: str = "document",
        audience: str | None = None, name: str = "EXERCISE note.pdf", reference: str = "",
    ) -> UUID:  # fmt: skip
        file = examine(content, "")
        with self.database.unit_of_work() as session:
            at = attachments.place(session, actor, reference or self.reference, self.now)
            label = Label(name, kind, audience)
            return attachments.stage(session, actor, self.vault, at, file, label, self.now)

    def say(
        self, actor: Actor, kind: str, body: dict[str, Any], files: list[UUID], **more: Any
    ) -> sending.Sent:
        self.now += timedelta(seconds=1)
        words = {"type": kind, "body": body, "attachments": files, **more}
        command = Command.model_validate({"callback_telephone": "020 7946 0001", **words})
        with self.database.unit_of_work() as session:
            return sending.send(session, actor, self.vault, self.reference, command, self.now)

    def names(self, actor: Actor) -> list[str]:
        case = self.case(actor, self.reference)
        return [one.name for message in case.messages for one in message.attachments]

    def download(self, actor: Actor, file: UUID, reference: str = "") -> bytes:
        with self.database.unit_of_work() as session:
            found = downloads.open_(
                session, actor, self.vault, reference or self.reference, file, self.now,
                reason_code="test",
            )  # fmt: skip
        return b"".join(downloads.content(self.database, self.vault, found))

    def rows(self, sql: str, **values: Any) -> list[Any]:
        with self.database.unit_of_work() as session:
            return list(session.execute(text(sql), values))


@pytest.fixture
def files(database: Database, vault: Vault, someone: Callable[..., Actor]) -> Files:
    return Files(database, vault, someone)


def test_a_file_is_for_whom_its_message_is_for_and_for_nobody_else(files: Files) -> None:
    files.say(files.met, "update", UPDATE, [], to=[KENT, ISLINGTON])
    plain = files.upload(files.met, LONG, name="EXERCISE plain.pdf")
    police = files.upload(files.met, LONG, audience="police", name="EXERCISE police.pdf")
    files.say(files.met, "update", UPDATE, [plain, police], to=[KENT, ISLINGTON])
    assert files.names(files.met) == ["EXERCISE plain.pdf", "EXERCISE police.pdf"]
    assert files.names(files.kent) == ["EXERCISE plain.pdf", "EXERCISE police.pdf"]
    assert files.names(files.social_worker) == ["EXERCISE plain.pdf"]
    assert files.case(files.social_worker, files.reference).messages[-1].withheld
    assert not files.case(files.kent, files.reference).messages[-1].withheld
    for actor in (files.met, files.kent):
        assert files.download(actor, police) == LONG
    assert files.download(files.social_worker, plain) == LONG
    none = refused("not-found", lambda: files.download(files.kent, uuid4()))
    for actor, file in ((files.social_worker, police), (files.stranger, plain)):
        error = refused("not-found", lambda a=actor, f=file: files.download(a, f))  # type: ignore[misc]
        assert (error.status, error.sentence) == (none.status, none.sentence)
    other = files.open(files.kent).case_reference
    refused("not-found", lambda: files.download(files.kent, plain, other))


def test_each_download_is_on_record_before_its_first_byte(files: Files) -> None:
    file = files.upload(files.met, LONG)
    files.say(files.met, "update", UPDATE, [file], to=[KENT])
    with files.database.unit_of_work() as session:
        downloads.open_(
            session, files.kent, files.vault, files.reference, file, files.now,
            reason_code="stated", reason="EXERCISE reason",
        )  # fmt: skip
    row = files.rows(
        "SELECT who_id, reason_code, reason, detail FROM audit_record"
        " WHERE action = 'disclosure' AND object_id = :id",
        id=file,
    )[0]
    assert (row.who_id, row.reason_code) == (files.kent.id, "stated")
    assert b"EXERCISE" not in bytes(row.reason)
    assert len(row.detail["messages"]) == 1
    refused("not-found", lambda: files.download(files.stranger, file))
    assert len(files.rows("SELECT FROM audit_record WHERE action = 'disclosure'")) == 1


def test_an_audience_is_never_wider_than_the_messages(files: Files) -> None:
    wide = files.upload(files.met, audience="all-parties")
    error = refused(
        "attachment-audience",
        lambda: files.say(files.met, "update", UPDATE, [wide], to=[KENT]),
    )
    assert error.fields[0].pointer == "/attachments/0"
    named = files.upload(files.met, audience="units")
    files.say(files.met, "update", UPDATE, [named], to=[KENT])
    assert files.download(files.kent, named) == PDF


def test_what_waits_is_its_units_alone_and_taken_once(
    files: Files, someone: Callable[..., Actor]
) -> None:
    files.say(files.met, "lead-transfer-request", OFFER, [], to=[KENT])
    file = files.upload(files.met)
    assert files.names(files.met) == []
    refused("not-found", lambda: files.download(files.met, file))
    refused("not-found", lambda: files.upload(files.stranger))
    colleague = someone("metropolitan/central-north")

    def listed(actor: Actor) -> list[str]:
        with files.database.unit_of_work() as session:
            found = attachments.waiting(session, actor, files.vault, [file], files.now)
        return [one.name for one in found]

    assert listed(colleague) == ["EXERCISE note.pdf"]
    assert listed(files.kent) == []

    def attach(actor: Actor, ids: list[UUID]) -> Callable[[], object]:
        return lambda: files.say(actor, "update", UPDATE, ids)

    refused("attachment-unknown", attach(files.kent, [file]))
    refused("attachment-repeated", attach(files.met, [file, file]))
    refused("attachment-unknown", attach(files.met, [uuid4()]))
    second = files.open(files.met).case_reference
    other = files.upload(files.met, reference=second)
    error = refused("attachment-unknown", attach(files.met, [file, other]))
    assert error.fields[0].pointer == "/attachments/1"
    attach(colleague, [file])()
    refused("attachment-unknown", attach(files.met, [file]))
    assert files.names(files.met) == ["EXERCISE note.pdf"]


def test_what_no_message_took_in_a_day_is_deleted_and_nothing_else(files: Files) -> None:
    kept, left = files.upload(files.met, LONG), files.upload(files.met, LONG)
    files.say(files.met, "update", UPDATE, [kept])
    files.now += timedelta(hours=23)
    young = files.upload(files.met)
    for hours, gone in ((0, 0), (1, 1), (30, 1)):
        with files.database.unit_of_work() as session:
            assert attachments.sweep(session, files.now + timedelta(hours=hours)) == gone
    ids = {row.id for row in files.rows("SELECT id FROM attachment_file")}
    assert ids == {kept}
    assert {row.file_id for row in files.rows("SELECT file_id FROM attachment_chunk")} == {kept}
    assert left not in ids
    assert young not in ids
    assert files.download(files.met, kept) == LONG


def test_a_piece_that_was_cut_swapped_or_moved_is_found(files: Files, owner_url: str) -> None:
    one, two = files.upload(files.met, LONG), files.upload(files.met, LONG)
    files.say(files.met, "update", UPDATE, [one, two])
    pieces = files.rows(
        "SELECT file_id, number, ciphertext FROM attachment_chunk ORDER BY file_id, number"
    )
    assert len(pieces) == 2 * (len(LONG) // CHUNK_BYTES + 1)
    engine = create_engine(sqlalchemy_url(owner_url))

    def tampered(statement: str, **values: Any) -> None:
        """Do what somebody with the whole database could, look, and undo it."""
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE attachment_chunk DISABLE TRIGGER USER"))
            connection.execute(text("ALTER TABLE attachment_file DISABLE TRIGGER USER"))
            before = {
                table: connection.execute(text(f"SELECT * FROM {table}")).mappings().all()
                for table in ("attachment_file", "attachment_chunk")
            }
            connection.execute(text(statement), values)
        with pytest.raises(HubError) as found:
            files.download(files.met, one)
        assert found.value.code == "content-unreadable"
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM attachment_chunk"))
            for row in before["attachment_chunk"]:
                connection.execute(
                    text("INSERT INTO attachment_chunk VALUES (:file_id, :number, :ciphertext)"),
                    dict(row),
                )
            for row in before["attachment_file"]:
                connection.execute(
                    text("UPDATE attachment_file SET size = :size, scan = :scan WHERE id = :id"),
                    dict(row),
                )
        assert files.download(files.met, one) == LONG

    assert [piece.file_id for piece in pieces] == [one] * 3 + [two] * 3
    swap = (
        "UPDATE attachment_chunk SET ciphertext = :other WHERE file_id = :id AND number = :number"
    )
    tampered("DELETE FROM attachment_chunk WHERE file_id = :id AND number = 1", id=one)
    tampered(swap, id=one, number=1, other=pieces[0].ciphertext)
    tampered(swap, id=one, number=2, other=pieces[5].ciphertext)
    tampered("UPDATE attachment_file SET size = :size WHERE id = :id", id=one, size=2 * CHUNK_BYTES)
    case_id = files.rows("SELECT case_id FROM attachment")[0].case_id
    with files.database.unit_of_work() as session:
        refused(
            "content-unreadable",
            lambda: attachments.piece(session, files.vault, case_id, one, 2 * CHUNK_BYTES, 1),
        )
    tampered("UPDATE attachment_file SET scan = 'clean' WHERE id = :id", id=one)
    engine.dispose()


def test_the_database_itself_refuses_what_would_bend_the_rules(
    files: Files, owner_url: str
) -> None:
    file, waits = files.upload(files.met), files.upload(files.met)
    sent = files.say(files.met, "update", UPDATE, [file])
    second = files.open(files.met)
    case_id = files.rows("SELECT case_id FROM attachment")[0].case_id
    engine = create_engine(sqlalchemy_url(owner_url))
    attach = "INSERT INTO attachment VALUES (:file, :case, :message, :number, :audience)"
    mine = {"file": waits, "case": case_id, "message": sent.message_id, "number": 2}
    for statement, values, constraint in (
        (attach, {**mine, "message": second.message_id, "audience": "police"},
         "fk_attachment_message_id"),
        (attach, {**mine, "audience": "all-parties"}, "ck_attachment_not_wider"),
        (attach, {**mine, "number": 11, "audience": "police"}, "ck_attachment_number"),
        (attach, {**mine, "file": file, "audience": "police"}, "pk_attachment"),
        ("UPDATE attachment SET audience = 'all-parties'", {}, "ck_message_immutable"),
        ("DELETE FROM attachment", {}, "ck_message_immutable"),
        ("UPDATE attachment_file SET scan = 'clean'", {}, "ck_message_immutable"),
        ("UPDATE attachment_chunk SET number = 7", {}, "ck_message_immutable"),
        ("DELETE FROM attachment_chunk", {}, "ck_message_immutable"),
        ("DELETE FROM attachment_file", {}, "ck_message_immutable"),
        ("INSERT INTO attachment_chunk VALUES (:file, 1, '')", {"file": file},
         "ck_message_immutable"),
    ):  # fmt: skip
        with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
            connection.execute(text(statement), values)
        assert caught.value.orig.diag.constraint_name == constraint, statement  # type: ignore[union-attr]
    engine.dispose()
    with pytest.raises(DBAPIError, match="permission denied"):
        files.rows("DELETE FROM attachment_chunk RETURNING number")


def test_a_file_is_gone_with_its_cases_key_and_lies_nowhere_in_clear(files: Files) -> None:
    file = files.upload(files.met, LONG)
    shot = files.upload(files.met, picture(), "photo", name="EXERCISE shot.jpg")
    sent = files.say(files.met, "update", UPDATE, [file, shot])
    stored = files.rows("SELECT ciphertext FROM attachment_chunk")
    stored += files.rows("SELECT name || coalesce(thumbnail, '') FROM attachment_file")
    assert not [row for row in stored if b"EXERCISE" in bytes(row[0]) or b"JFIF" in bytes(row[0])]
    with files.database.unit_of_work() as session:
        assert attachments.thumbnail(session, files.vault, shot).startswith(b"\xff\xd8\xff")
    case_id = files.rows("SELECT case_id FROM message WHERE id = :id", id=sent.message_id)[0][0]
    with files.database.unit_of_work() as session:
        files.vault.destroy_key(session, case_id, now=files.now)
    refused("erased", lambda: files.download(files.met, file))
    with files.database.unit_of_work() as session:
        for number in (0, 1):
            refused(
                "erased",
                lambda n=number: attachments.piece(  # type: ignore[misc]
                    session, files.vault, case_id, file, len(LONG), n
                ),
            )
        refused("erased", lambda: attachments.thumbnail(session, files.vault, shot))


def test_whoever_newly_leads_sees_all_that_came_before(files: Files) -> None:
    file = files.upload(files.met, audience="police")
    files.say(files.met, "update", UPDATE, [file])
    line = files.upload(files.met, name="EXERCISE lines.pdf")
    request = files.say(files.met, "lead-transfer-request", OFFER, [line], to=[KENT])
    files.send(
        files.kent,
        files.reference,
        "lead-transfer-accept",
        in_reply_to=request.message_id,
        **ACCEPT,
    )
    assert files.lead(files.reference) == KENT
    assert files.names(files.kent) == ["EXERCISE note.pdf", "EXERCISE lines.pdf"]
    assert files.download(files.kent, file) == PDF


def test_a_unit_that_is_asked_sees_the_files_of_the_question_alone(files: Files) -> None:
    essex = files.stranger
    before = files.upload(files.met, name="EXERCISE before.pdf")
    files.say(files.met, "update", UPDATE, [before])
    asked = files.upload(files.met, name="EXERCISE asked.pdf")
    question = files.say(
        files.met,
        "information-request",
        {"questions": "EXERCISE"},
        [asked],
        to=["essex"],
        purpose="EXERCISE",
    )
    assert files.names(essex) == ["EXERCISE asked.pdf"]
    assert files.download(essex, asked) == PDF
    refused("not-found", lambda: files.download(essex, before))
    answer = files.upload(essex, name="EXERCISE answer.pdf")
    files.say(
        essex, "information-response", {"outcome": "none-held"}, [answer],
        in_reply_to=question.message_id,
    )  # fmt: skip
    assert "EXERCISE answer.pdf" in files.names(files.met)
    refused("not-found", lambda: files.download(files.kent, answer))


def test_a_case_can_open_with_files_that_were_uploaded_before_it_was_there(files: Files) -> None:
    made: list[UUID] = []
    for _ in range(2):
        with files.database.unit_of_work() as session:
            at = attachments.place_of_new_case(session, files.met, made)
            made.append(
                attachments.stage(
                    session, files.met, files.vault, at, examine(picture(), ""),
                    Label("EXERCISE face.jpg", "photo"), files.now,
                )
            )  # fmt: skip
            assert at.new == (len(made) == 1)
    command = Command(
        type="missing-episode-report", body=REPORT, status="exercise", attachments=made
    )
    stolen = Command(
        type="missing-episode-report", body=REPORT, status="exercise", attachments=made[:1]
    )

    def open_(actor: Actor, what: Command) -> sending.Sent:
        with files.database.unit_of_work() as session:
            return sending.open_case(session, actor, files.vault, what, files.now)

    refused("attachment-unknown", lambda: open_(files.kent, stolen))
    files.reference = open_(files.met, command).case_reference
    assert files.names(files.met) == ["EXERCISE face.jpg"] * 2
    assert files.download(files.met, made[0]).startswith(b"\xff\xd8\xff")
    refused("attachment-unknown", lambda: open_(files.met, stolen))


def test_nobody_uploads_to_a_closed_case_or_under_a_label_that_there_is_not(files: Files) -> None:
    file = examine(PDF, "")
    closed = files.open(files.met).case_reference
    files.send(
        files.met, closed, "located", located_at=files.now.isoformat(), seen_by="EXERCISE PC",
        place="EXERCISE", how="police", found="dead",
    )  # fmt: skip
    files.send(files.met, closed, "closure", outcome="EXERCISE", authorised_by="EXERCISE")
    refused("case-closed", lambda: files.upload(files.met, reference=closed))
    place = Place(uuid4(), uuid4())
    for label, code in (
        (Label("a", "secret"), "attachment-kind"),
        (Label("a", "photo", "everyone"), "attachment-audience"),
    ):
        with files.database.unit_of_work() as session:
            refused(
                code,
                lambda at=label: attachments.stage(  # type: ignore[misc]
                    session, files.met, files.vault, place, file, at, files.now
                ),
            )
