"""What may be said of an organisation in time: its names, its days, and what it is part of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

MOST_NAMED = 5


@dataclass(frozen=True)
class Names:
    """An organisation's name, those that it had, and the day on which each of them ended.

    Days are Europe/London. Of a former name from before the hub kept days, none is known.
    """

    name: str
    former: tuple[str, ...] = ()
    until: Mapping[str, str] | None = None


def renamed(held: Names, name: str, day: date) -> Names:
    """Return the names once it is called `name` from a day on; a name that it has again is former
    no more.
    """
    if name == held.name:
        return held
    former = tuple(one for one in held.former if one not in (name, held.name))
    until = {one: ended for one, ended in (held.until or {}).items() if one in former}
    return Names(name, (*former, held.name), {**until, held.name: day.isoformat()})


def put_back(held: Names, mistaken: str, name: str, day: date) -> Names:
    """Return the names once a renaming is put back: a name given by mistake was never a name."""
    found = renamed(held, name, day)
    former = tuple(one for one in found.former if one != mistaken)
    until = {one: ended for one, ended in (found.until or {}).items() if one in former}
    return Names(name, former, until)


def parent_problem(
    organisation_id: UUID, parent_id: UUID | None, parents: Mapping[UUID, UUID | None]
) -> str:
    """Say why an organisation cannot be part of another; "" where it can.

    `parents` are of every organisation, by id.
    """
    up, passed = parent_id, set[UUID]()
    while up is not None and up not in passed:
        if up == organisation_id:
            if parent_id == organisation_id:
                return "An organisation is no part of itself."
            return "That organisation is part of this one already."
        passed.add(up)
        up = parents.get(up)
    return ""


@dataclass(frozen=True)
class Days:
    """From which day (Europe/London) something is, and the first on which it is no more."""

    name: str
    valid_from: date
    valid_to: date | None

    def within(self, outer: "Days") -> bool:
        """Say whether there is a day of this one only where there is one of the other."""
        if self.valid_to == self.valid_from:
            return True
        ends = outer.valid_to is None or (
            self.valid_to is not None and self.valid_to <= outer.valid_to
        )
        return self.valid_from >= outer.valid_from and ends


def days_problems(
    was: Days, wanted: Days, units: Sequence[Days], districts: Sequence[Days], today: date
) -> dict[str, str]:
    """Say by field why an organisation cannot have these days; {} where it can.

    It ends on no day that is past, and on none on which it has a unit or answers for a district.
    """
    problems = {}
    if wanted.valid_to is not None and wanted.valid_to <= wanted.valid_from:
        problems["valid_to"] = "Give a day after the one on which it began."
    elif wanted.valid_to and wanted.valid_to != was.valid_to and wanted.valid_to < today:
        problems["valid_to"] = "Give today or a later day."
    for what, held in (("units", units), ("districts", districts)):
        late = [one.name for one in held if not one.within(Days("", date.min, wanted.valid_to))]
        early = [one.name for one in held if not one.within(Days("", wanted.valid_from, None))]
        if late and wanted.valid_to != was.valid_to:
            told = f"It has {what} on that day: {_some(late)}."
            close = (
                "Close or merge them first."
                if what == "units"
                else "They have to pass to another first."
            )
            problems.setdefault("valid_to", f"{told} {close}")
        if early and wanted.valid_from != was.valid_from:
            problems.setdefault(
                "valid_from", f"It has {what} from before that day: {_some(early)}."
            )
    return problems


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"
