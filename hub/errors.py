"""The one error type: a stable code, a status, and one sentence that says what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldProblem:
    """One field at fault: its JSON pointer, a stable code and a sentence. Never the value."""

    pointer: str
    code: str
    sentence: str


class HubError(Exception):
    """A refusal that its reader can act on.

    `code` is stable, `status` the HTTP status, `sentence` safe to show to anyone who gets it:
    it never carries content of a case. `extra` adds members to the problem details.
    """

    def __init__(
        self,
        code: str,
        status: int,
        sentence: str,
        *,
        pointer: str | None = None,
        extra: Mapping[str, Any] | None = None,
        fields: Sequence[FieldProblem] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.sentence = sentence
        self.extra = dict(extra or {})
        self.fields = tuple(fields)
        if pointer is not None and not self.fields:
            self.fields = (FieldProblem(pointer, code, sentence),)


def not_found(sentence: str = "There is nothing here.") -> HubError:
    """Return the 404 that strangers to a case and seekers of nothing get alike (DOMAIN.md 4.8)."""
    return HubError("not-found", 404, sentence)


def forbidden(code: str, sentence: str) -> HubError:
    """Return a 403: the actor is known and may not do this."""
    return HubError(code, 403, sentence)


def conflict(code: str, sentence: str, **extra: Any) -> HubError:
    """Return a 409: something else happened first; `extra` tells what."""
    return HubError(code, 409, sentence, extra=extra)


def invalid(code: str, sentence: str, pointer: str | None = None) -> HubError:
    """Return a 422: well-formed, but not acceptable."""
    return HubError(code, 422, sentence, pointer=pointer)


def unavailable(code: str, sentence: str) -> HubError:
    """Return a 503: a part of the hub is away, and trying again later may help."""
    return HubError(code, 503, sentence)
