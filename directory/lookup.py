"""From what somebody types to whom they call: postcode, district, council, force or unit."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from directory import ladder, search
from directory.ladder import NEEDS, Ladder, Need, Place, Reader
from directory.postcodes import PostcodeMatch, Postcodes
from directory.search import Found
from directory.snapshot import Area, Organisation, Snapshot, Unit
from hub.errors import HubError, invalid

NEIGHBOURS = {
    "scotland": ("police-scotland", "Scotland"),
    "northern-ireland": ("northern-ireland", "Northern Ireland"),
    "jersey": ("jersey", "Jersey"),
    "guernsey": ("guernsey", "Guernsey"),
    "isle-of-man": ("isle-of-man", "the Isle of Man"),
}
LONGEST = 120
LONGEST_POSTCODE = 10


@dataclass(frozen=True)
class Match:
    """What the answer rests on: postcode, sector, district, council, force, unit or name.

    `why` says which name or code of it matched, where it was found by one.
    """

    basis: str
    guess: bool = False
    note: str = ""
    why: str = ""


@dataclass(frozen=True)
class Answer:
    """Whom to call: the place, its ladders by need, and what the match rests on.

    `others` are what else may have been meant: further districts, or names as near.
    """

    query: str
    place: Place
    area: Area | None
    unit: Unit | None
    match: Match
    ladders: dict[Need, Ladder]
    reach: str
    warnings: tuple[str, ...]
    at: datetime
    others: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Several things may be meant; the reader chooses."""

    query: str
    matches: tuple[Found, ...]


@dataclass(frozen=True)
class Asked:
    """What was asked, by parameter: exactly one of them is given."""

    q: str | None = None
    postcode: str | None = None
    local_authority: str | None = None
    force: str | None = None
    unit: str | None = None

    def the_one(self) -> tuple[str, str]:
        """Return the parameter that was given, and its text.

        Raises:
            HubError: 422 when none or several were given, or the text is empty or too long.
        """
        given = [(name, text) for name, text in vars(self).items() if text is not None]
        if len(given) != 1:
            raise invalid(
                "query-one",
                "Give exactly one of: postcode, local_authority, force, unit, q.",
            )
        name, text = given[0]
        if not text.strip() or len(text) > LONGEST:
            raise invalid(
                "query-text",
                "Type a postcode, a district or council, a police force or a unit.",
                "/" + name,
            )
        return name, text.strip()


class Lookup:
    """Look-ups in one snapshot and one table of postcodes."""

    def __init__(self, snapshot: Snapshot, postcodes: Postcodes) -> None:
        self.snapshot = snapshot
        self.postcodes = postcodes

    def answer(
        self, asked: Asked, needs: tuple[Need, ...], reader: Reader, at: datetime
    ) -> Answer | Choice:
        """Return the answer, or the choice where several things may be meant.

        Raises:
            HubError: 422 for what cannot be read, 404 with help for what is not found.
        """
        name, text = asked.the_one()
        if name in ("postcode", "q"):
            match = self.postcodes.find(text)
            if match.kind != "not-a-postcode" or match.postcode or name == "postcode":
                return self._of_postcode(text, match, needs, reader, at)
        heirs = self._heirs(text) if name in ("unit", "q") else ()
        if len(heirs) > 1:
            return Choice(
                text,
                tuple(
                    Found(
                        "unit", u.name, u.organisation.name, search.CODED, u, f"in place of {text}"
                    )
                    for u in heirs
                ),
            )
        if heirs:
            note = f"This unit is no more: {heirs[0].name} took its place."
            place = unit_place(self.snapshot, heirs[0])
            match_ = Match("unit", note=note)
            return self._answer(text, place, None, heirs[0], match_, needs, reader, at)
        found = self._found(name, text)
        best = search.winner(found)
        if best is None:
            return Choice(text, tuple(found[:8]))
        # Of a name that is right, others so called (Dorset is a force and a district too); of a
        # slip, whatever else is near.
        near = search.EXACT if best.score >= search.EXACT else search.GOOD
        others = tuple(one for one in found[1:3] if one.score >= near)
        answer = self._of_target(text, best, needs, reader, at)
        return replace(answer, match=replace(answer.match, why=best.why), others=others)

    def _found(self, name: str, text: str) -> list[Found]:
        kinds = {
            "local_authority": ("district", "council"),
            "force": ("force",),
            "unit": ("unit", "force"),
            "q": tuple(search.KINDS),
        }[name]
        if name == "unit":
            unit = self._unit(text)
            if unit is not None:
                return [
                    Found("unit", unit.name, unit.organisation.name, search.CODED, unit, "code")
                ]
        found = search.search(self.snapshot, text, 30, kinds)
        if not found:
            if any(sign.isdigit() for sign in text) and len(text) <= LONGEST_POSTCODE:
                raise invalid(
                    "postcode-malformed",
                    "Nothing in the directory has this name, and it is not a postcode as it"
                    " stands: one looks like SW1A 1AA. Look whether a letter is where a digit"
                    " belongs, or one is missing. In an emergency ring 999.",
                    "/" + name,
                )
            near = ", ".join(one.name for one in search.search(self.snapshot, text, 3))
            more = f" Did you mean: {near}?" if near else ""
            raise HubError(
                "not-found-in-directory",
                404,
                "Nothing in the directory has this name. Try a postcode, a district or council,"
                f" or a police force.{more} In an emergency ring 999.",
            )
        return found

    def _heirs(self, text: str) -> tuple[Unit, ...]:
        """Return the units that took the place of one that is no more, by its code or UUID."""
        try:
            return self.snapshot.successors.get(UUID(text), ())
        except ValueError:
            return self.snapshot.successors.get(text.lower(), ())

    def _unit(self, text: str) -> Unit | None:
        try:
            return self.snapshot.units.get(UUID(text))
        except ValueError:
            return self.snapshot.by_code.get(text) or self.snapshot.by_code.get(text.lower())

    def _of_postcode(
        self, text: str, match: PostcodeMatch, needs: tuple[Need, ...], reader: Reader, at: datetime
    ) -> Answer:
        if match.kind in NEIGHBOURS:
            code, where = NEIGHBOURS[match.kind]
            force = self.snapshot.organisation_by_code[code]
            note = f"{match.postcode} is in {where}: {force.name} answers there."
            return self._answer(
                text,
                force_place(self.snapshot, force),
                None,
                None,
                Match("postcode", note=note),
                needs,
                reader,
                at,
            )
        areas = [area for code in match.lad_codes if (area := self.snapshot.area(code))]
        if not areas:
            raise self._no_place(match)
        area = areas[0]
        notes = []
        if match.corrected and match.typed == "sector":
            notes.append(f"Read as {match.postcode}, since the postcode is not whole.")
        elif match.corrected:
            notes.append(f"Read as {match.postcode}.")
        if match.guess:
            notes.append(
                f"{match.postcode} is newer than our data, or has no district in it:"
                " this is the nearest match."
            )
        if len(areas) > 1:
            notes.append(self._spans(match, areas))
        elif match.typed == "outcode":
            notes.append(self._shared(area))
        if match.outside:
            notes.append("It reaches beyond England and Wales too.")
        answer = self._answer(
            match.postcode, self._area_place(area, _sector(match.postcode)), area, None,
            Match("postcode" if match.basis == "unit" else match.basis, match.guess,
                  " ".join(filter(None, notes))),
            needs, reader, at,
        )  # fmt: skip
        others = tuple(
            Found("district", one.name, self.snapshot.organisations[one.force_id].name, 0, one)
            for one in areas[1:6]
        )
        return replace(answer, others=others)

    def _shared(self, area: Area) -> str:
        """Say who else answers in parts of a district, where somebody does."""
        units = {
            unit_id
            for (area_id, _), found in self.snapshot.sectors.items()
            if area_id == area.id
            for unit_id in found
        }
        names = ", ".join(sorted(self.snapshot.units[one].name for one in units))
        return f"In parts of it {names} answers: a whole postcode is exact." if names else ""

    def _no_place(self, match: PostcodeMatch) -> HubError:
        if match.kind == "overseas":
            return HubError(
                "overseas",
                404,
                f"{match.postcode} is outside the United Kingdom: no police service of ours answers"
                f" there.{self._advice()} In an emergency here ring 999.",
            )
        if match.postcode:
            return HubError(
                "postcode-unknown",
                404,
                f"{match.postcode} is no place: no postcode begins so. Try the town, district or"
                " council instead. In an emergency ring 999.",
            )
        return invalid(
            "postcode-malformed",
            "This is not a postcode: one looks like SW1A 1AA. A district, council or force will"
            " do too.",
            "/postcode",
        )

    def _advice(self) -> str:
        """Return where the directory says that national advice is to be had."""
        for unit in self.snapshot.units.values():
            for contact in self.snapshot.contacts.get(unit.id, ()):
                if (contact.purpose, contact.channel) == ("national-advice", "telephone"):
                    return f" For advice ring the {unit.name} on {contact.value}."
        return ""

    def _spans(self, match: PostcodeMatch, areas: list[Area]) -> str:
        names = ", ".join(
            f"{one.name} ({self.snapshot.organisations[one.force_id].name})" for one in areas[:6]
        )
        return (
            f"{match.postcode} spans districts: {names}. Most of it is in the first; type the whole"
            " postcode to be sure."
        )

    def _of_target(
        self, text: str, found: Found, needs: tuple[Need, ...], reader: Reader, at: datetime
    ) -> Answer:
        target, guess = found.target, found.score < 99
        note = f"Taken to mean {found.name}." if guess else ""
        if isinstance(target, Area):
            place = self._area_place(target)
            note = " ".join(filter(None, (note, self._shared(target))))
            return self._answer(
                text, place, target, None, Match("district", guess, note), needs, reader, at
            )
        if isinstance(target, Unit):
            return self._answer(
                text,
                unit_place(self.snapshot, target),
                None,
                target,
                Match("unit", guess, note),
                needs,
                reader,
                at,
            )
        if target.kind == "local-authority":
            return self._of_council(text, target, Match("council", guess, note), needs, reader, at)
        if target.kind != "police":
            units = [u for u in self.snapshot.units.values() if u.organisation.id == target.id]
            units.sort(key=lambda one: (one.parent_id is not None, one.code))
            where = ", ".join(f"/api/v1/directory/units/{one.code}" for one in units)
            raise HubError(
                "not-police", 404,
                f"{target.name} is no police service or council: its contacts are national"
                f"{f' ({where})' if where else ''}.",
                extra={"units": [str(one.id) for one in units]},
            )  # fmt: skip
        return self._answer(
            text,
            force_place(self.snapshot, target),
            None,
            None,
            Match("force", guess, note),
            needs,
            reader,
            at,
        )

    def _of_council(
        self, text: str, council: Organisation, match: Match, needs: tuple[Need, ...],
        reader: Reader, at: datetime,
    ) -> Answer:  # fmt: skip
        areas = [
            a
            for a in {x.id: x for x in self.snapshot.areas.values()}.values()
            if a.csa_id == council.id
        ]
        if not areas:
            raise HubError("not-found-in-directory", 404, "This council has no district on record.")
        if len(areas) == 1:
            return self._answer(
                text, self._area_place(areas[0]), areas[0], None, match, needs, reader, at
            )
        place = force_place(self.snapshot, self.snapshot.organisations[areas[0].force_id], council)
        units = {unit.id for area in areas if (unit := self.snapshot.bcu_of(area))}
        if len(units) == 1:
            place = replace(place, bcu=self.snapshot.units[units.pop()])
        note = f"{match.note} {council.name} has {len(areas)} districts; a postcode or district is more exact."
        return self._answer(
            text, place, None, None, replace(match, note=note.strip()), needs, reader, at
        )

    def _area_place(self, area: Area, sector: str = "") -> Place:
        force = self.snapshot.organisations[area.force_id]
        council = self.snapshot.organisations.get(area.csa_id) if area.csa_id else None
        return Place(
            force,
            self.snapshot.force_unit(force.id),
            self.snapshot.bcu_of(area, sector),
            council,
            area.country,
        )

    def _answer(
        self, query: str, place: Place, area: Area | None, unit: Unit | None, match: Match,
        needs: tuple[Need, ...], reader: Reader, at: datetime,
    ) -> Answer:  # fmt: skip
        ladders = {need: ladder.climb(self.snapshot, place, need, reader, at) for need in needs}
        shown = unit or place.bcu or place.force_unit
        reach = self.snapshot.reach(shown, reader.status, at) if shown else "not-on-hub"
        warnings = [match.note] if match.note else []
        for one in ladders.values():
            warnings += [text for text in one.warnings if text not in warnings]
        return Answer(query, place, area, shown, match, ladders, reach, tuple(warnings), at)


def force_place(
    snapshot: Snapshot, force: Organisation, council: Organisation | None = None
) -> Place:
    """Return a whole force as a place."""
    return Place(force, snapshot.force_unit(force.id), None, council, force.country or "England")


def unit_place(snapshot: Snapshot, unit: Unit) -> Place:
    """Return the place that a unit is of: its force and BCU, or its council and the police there."""
    if unit.organisation.kind == "local-authority":
        areas = [a for a in snapshot.areas.values() if a.csa_id == unit.organisation.id]
        force = snapshot.organisations[areas[0].force_id] if areas else unit.organisation
        return force_place(snapshot, force, unit.organisation)
    bcu: Unit | None = unit
    while bcu is not None and bcu.kind != "bcu":
        bcu = snapshot.units.get(bcu.parent_id) if bcu.parent_id else None
    return replace(force_place(snapshot, unit.organisation), bcu=bcu)


def _sector(postcode: str) -> str:
    """Return the sector of a postcode: CT9 1 of CT9 1AB; none of an outcode alone."""
    outcode, _, inward = postcode.partition(" ")
    return f"{outcode} {inward[0]}" if inward[:1].isdigit() else ""


__all__ = ["NEEDS", "Answer", "Asked", "Choice", "Lookup"]
