"""The files of a form: uploaded with it, kept while it is corrected, taken when it is sent.

A file that was uploaded waits for its message, so that whatever else is wrong with the form, nobody
has to choose it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from hub.errors import HubError, not_found
from hub.web import context
from hub.web.forms import FormField
from messaging import attachments, audiences, receiving, wording
from messaging.attachments import MOST, PICTURES, Examined, Label, Place, Waiting
from messaging.contracts import CONTRACTS

FILES, DROP = "files", "drop"
ROWS = 3
NOT_KEPT = frozenset({413, 415, 422, 503})

PlaceOf = Callable[[Session, Sequence[UUID]], Place]


@dataclass
class Attaching:
    """The files of one form: what waits, how many are gone, and what is wrong by row."""

    message_type: str
    waiting: list[Waiting] = field(default_factory=list)
    gone: int = 0
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """The files that the message is to take."""
        return [str(one.id) for one in self.waiting]

    @property
    def rows(self) -> list[FormField]:
        """The empty rows of the form."""
        return [
            FormField(
                name=f"file-{row}",
                label=_("File %(number)s", number=row + 1),
                kind="file",
                required=False,
                error=self.problems.get(row, ""),
            )
            for row in range(ROWS)
        ]

    def shown(self) -> dict[str, Any]:
        """Return what the template needs."""
        whole = CONTRACTS[self.message_type].AUDIENCE
        narrower = [
            (one, str(wording.READERS[one]))
            for one in ("statutory", "police", "units")
            if one != whole and audiences.within(one, whole)
        ]
        return {
            "rows": self.rows,
            "waiting": [
                {
                    "id": one.id,
                    "name": one.name,
                    "said": ", ".join(
                        str(part)
                        for part in (
                            wording.FILE_KINDS[one.kind],
                            wording.size(one.size),
                            wording.SCANS[one.scan],
                            wording.READERS[one.audience] if one.audience else "",
                        )
                        if part
                    ),
                }
                for one in self.waiting
            ],
            "gone": self.gone,
            "kinds": [(code, str(words)) for code, words in wording.FILE_KINDS.items()],
            "readers": narrower,
            "open": bool(self.waiting or self.problems or self.gone),
        }


def carried(message_type: str, names: Sequence[str]) -> Attaching:
    """Return the files that a form or a draft names, as far as they wait still.

    Raises:
        HubError: `not-found` when a name is none of ours.
    """
    try:
        ids = list(dict.fromkeys(UUID(name) for name in names))[: 2 * MOST]
    except ValueError:
        raise not_found() from None
    with context.database().unit_of_work() as session:
        waiting = attachments.waiting(
            session, context.current_actor(), context.vault(), ids, context.now()
        )
    return Attaching(message_type, waiting, gone=len(ids) - len(waiting))


def received(message_type: str, place: PlaceOf) -> Attaching:
    """Take the files that came with the form; what cannot be taken is said at its row."""
    dropped = set(request.form.getlist(DROP))
    named = [name for name in request.form.getlist(FILES) if name not in dropped]
    known = carried(message_type, named)
    ids = [one.id for one in known.waiting]
    for row in range(ROWS):
        file = request.files.get(f"file-{row}")
        if file is None or not file.filename:
            continue
        if len(ids) >= MOST:
            known.problems[row] = _("A message takes at most %(most)s files", most=MOST)
            continue
        try:
            ids.append(_kept(row, file, ids, place))
        except HubError as error:
            if error.status not in NOT_KEPT:
                raise
            known.problems[row] = f"{_short(file.filename)}: {error.sentence}"
    found = carried(message_type, [str(one) for one in ids])
    return Attaching(message_type, found.waiting, known.gone, known.problems)


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


def _kept(row: int, file: FileStorage, ids: Sequence[UUID], place: PlaceOf) -> UUID:
    with context.database().unit_of_work() as session:
        at = place(session, ids)
    found = receiving.examined(attachments.read_whole(file.stream), at)
    label = Label(
        file.filename or "",
        request.form.get(f"file-kind-{row}", "") or _guessed(found),
        request.form.get(f"file-readers-{row}", "") or None,
    )
    with context.database().unit_of_work() as session:
        return UUID(receiving.keep(session, place(session, ids), found, label))


def _guessed(file: Examined) -> str:
    return "image" if file.file.media_type in PICTURES else "document"
