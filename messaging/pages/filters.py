"""Filters of lists that stay in the address: what was asked for, and the addresses that ask."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import request, url_for
from sqlalchemy.orm import Session

from hub.errors import invalid
from hub.identity.actor import Actor
from hub.organisations import find_unit, units_below
from hub.web import paging
from messaging import who_leads

MOST_UNITS = 200


def one_of(name: str, known: object) -> str:
    """Return a filter's value where it is one of the known ones; nothing is chosen otherwise."""
    value = request.args.get(name, "")
    return value if value in known else ""  # type: ignore[operator]  # a container of words


def units(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return the units below the reader's by code and name; none where there is one alone."""
    if not 1 < len(actor.unit_ids) <= MOST_UNITS:
        return []
    found = who_leads.unit_names(session, sorted(actor.unit_ids))
    return sorted(((one.code, one.name) for one in found), key=lambda one: one[1])


def within(session: Session, actor: Actor, code: str) -> frozenset[UUID] | None:
    """Return a unit of the reader's and those below it, or None for all of them."""
    unit = find_unit(session, code) if code else None
    if unit is None or unit.id not in actor.unit_ids:
        return None
    return units_below(session, unit.id)


def after(*kinds: str) -> list[Any] | None:
    """Return where a page of a list begins, as moments, flags and ids, or None for its beginning.

    Raises:
        HubError: 422 `cursor`, for what is no page of the list.
    """
    found = paging.decode(request.args.get("after"), len(kinds))
    if found is None:
        return None
    try:
        for kind, part in zip(kinds, found, strict=True):
            READ[kind](part)
    except (ValueError, TypeError, AttributeError):
        raise invalid("cursor", "This is no page of the list: start at its beginning.") from None
    return found


def _flag(part: object) -> None:
    if not isinstance(part, bool):
        raise TypeError


def _moment(part: str) -> None:
    if part != "infinity":
        datetime.fromisoformat(part)


READ: dict[str, Callable[[Any], object]] = {"flag": _flag, "moment": _moment, "id": UUID}


def address(endpoint: str, chosen: dict[str, str], **changed: str) -> str:
    """Return the address of a list with these filters, some of them changed."""
    wanted = chosen | changed
    return url_for(endpoint, **{name: value for name, value in wanted.items() if value})  # type: ignore[arg-type]
