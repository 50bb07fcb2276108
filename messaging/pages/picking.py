"""Choosing a unit: a search by postcode, district, force or name, without scripts."""

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session


def page(
    session: Session,
    reference: str | None,
    status: str,
    heading: str,
    address: Callable[[str], str],
    hidden: Mapping[str, str],
    hint: str = "",
) -> str:
    return ""
