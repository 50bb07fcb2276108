"""Who may read which part of a message: pure, from DOMAIN.md 4.8."""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel

ORDER = ("police", "statutory", "all-parties")
"""From the narrowest to the widest; "units" is those named alone."""

STATUTORY = frozenset({"police", "responsible-authority", "host-authority", "health"})


class Reader(Protocol):
    """A unit with its part in a case."""

    @property
    def police(self) -> bool: ...
    @property
    def part(self) -> str: ...


def statutory(unit: Reader) -> bool:
    """Say whether a unit is one of police, responsible and host authority, and health."""
    return unit.police or unit.part in STATUTORY


def may_read(
    audience: str, *, police: bool, part: str, full: bool, recipient: bool, sender: bool
) -> bool:
    """Say whether a unit may read what is for an audience.

    `part` is the unit's part in the case, `full` whether it sees the case beyond its own report.
    A limited party reads what was sent to it or by it, and nothing else.
    """
    if sender:
        return True
    if audience == "units":
        return recipient
    if not (full or recipient):
        return False
    if audience == "police":
        return police
    if audience == "statutory":
        return police or part in STATUTORY
    return True


def narrower(one: str, other: str) -> str:
    """Return the narrower of two audiences."""
    if "units" in (one, other):
        return "units"
    return min(one, other, key=ORDER.index)


def within(audience: str, whole: str) -> bool:
    """Say whether an audience is another or narrower; those named alone are within any."""
    if audience == whole or "units" in (audience, whole):
        return audience in (whole, "units")
    return ORDER.index(audience) < ORDER.index(whole)


def split(
    model: type[BaseModel], body: Mapping[str, Any], audience: str
) -> dict[str, dict[str, Any]]:
    """Return the body's parts by audience; each field is in exactly one part."""
    parts: dict[str, dict[str, Any]] = {audience: {}}
    for name, value in body.items():
        extra = model.model_fields[name].json_schema_extra
        own = extra.get("audience") if isinstance(extra, dict) else None
        of_field = narrower(str(own), audience) if own else audience
        parts.setdefault(of_field, {})[name] = value
    return parts
