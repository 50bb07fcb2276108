"""The reference files as typed rows: read, checked, refused with the row and column at fault."""

import re
from dataclasses import dataclass
from pathlib import Path

from seed.cells import ONS_CODE, Problems, Row, read_table

BUNDLED = Path(__file__).parent / "data"

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
UNIT_CODE = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9-]+")

POLICE_KINDS = {
    "territorial": "territorial",
    "national_special": "national-special",
    "neighbouring": "neighbouring",
}
NATIONAL_KINDS = ("national", "voluntary")
UNIT_KINDS = ("national", "other")
CHANNELS = {
    "telephone": "telephone",
    "mobile": "mobile",
    "text message": "text",
    "email": "email",
    "secure email": "secure-email",
    "web page": "web",
}
# What a page prints as a contact's purpose, as our purpose, and what of it a caller should know.
PURPOSES = {
    "advice on which force to contact; passing on information": (
        "national-advice",
        "Advice on which force to contact; passes information on.",
    ),
    "same": ("national-advice", None),
    "same, from outside the UK": ("national-advice", "From outside the UK."),
    "helpline": ("helpline", None),
    "anonymous information": ("anonymous-information", None),
    "general": ("non-emergency", None),
    "general reporting on the railway": ("non-emergency", "General reporting on the railway."),
    "reporting a child missing and saying that a Philomena Protocol form exists;"
    " 999 if in danger": (
        "non-emergency",
        "To report a child missing; say whether a Philomena Protocol form exists.",
    ),
}


@dataclass(frozen=True)
class Force:
    """A police service."""

    code: str
    name: str
    name_welsh: str | None
    area_name: str | None
    area_code: str | None
    country: str
    website: str | None
    non_emergency: str | None
    kind: str
    note: str | None


@dataclass(frozen=True)
class District:
    """A local authority district, with its one force and its children's services authority."""

    code: str
    name: str
    name_welsh: str | None
    official_name: str
    authority_type: str
    country: str
    region_code: str | None
    region_name: str | None
    force: str
    authority: str
    previous_codes: tuple[str, ...]


@dataclass(frozen=True)
class Authority:
    """A children's services authority."""

    code: str
    name: str
    name_welsh: str | None
    official_name: str
    country: str


@dataclass(frozen=True)
class PolicingUnit:
    """A policing unit below force level, with the districts that it is said to cover."""

    code: str
    force: str
    name: str
    label: str
    districts: tuple[str, ...]
    basis: str
    confidence: str
    as_of: str
    source: str
    note: str | None


@dataclass(frozen=True)
class NationalBody:
    """A national organisation and its one unit; `published_as` is its name among the contacts."""

    code: str
    name: str
    kind: str
    unit: str
    unit_name: str
    unit_kind: str
    published_as: str | None
    source: str
    source_date: str


@dataclass(frozen=True)
class PublishedContact:
    """A contact that a public page states, unconfirmed; of a force, or of a national body."""

    force: str | None
    body: str | None
    purpose: str
    channel: str
    value: str
    source: str
    source_date: str
    note: str | None


@dataclass(frozen=True)
class Reference:
    """All reference files of one edition, consistent with each other."""

    forces: tuple[Force, ...]
    districts: tuple[District, ...]
    authorities: tuple[Authority, ...]
    units: tuple[PolicingUnit, ...]
    bodies: tuple[NationalBody, ...]
    contacts: tuple[PublishedContact, ...]
    sources: dict[str, tuple[str, str]]


def _force(row: Row) -> Force:
    return Force(
        code=row.code("force_id", SLUG, "a force's slug"),
        name=row.text("name"),
        name_welsh=row.optional("welsh_name"),
        area_name=row.optional("ons_pfa_name"),
        area_code=row.optional("ons_pfa_code"),
        country=row.text("country"),
        website=row.optional("website"),
        non_emergency=row.optional("non_emergency_telephone"),
        kind=POLICE_KINDS.get(row.one_of("kind", POLICE_KINDS), ""),
        note=row.optional("note"),
    )


def _authority(row: Row) -> Authority:
    return Authority(
        code=row.code("csa_code", ONS_CODE, "an ONS code of nine characters"),
        name=row.text("csa_name"),
        name_welsh=row.optional("csa_name_welsh"),
        official_name=row.text("csa_official_name"),
        country=row.text("country"),
    )


def _body(row: Row) -> NationalBody:
    return NationalBody(
        code=row.code("organisation_code", SLUG, "an organisation's slug"),
        name=row.text("organisation_name"),
        kind=row.one_of("organisation_kind", NATIONAL_KINDS),
        unit=row.code("unit_code", UNIT_CODE, "a unit's code"),
        unit_name=row.text("unit_name"),
        unit_kind=row.one_of("unit_kind", UNIT_KINDS),
        published_as=row.optional("published_as"),
        source=row.text("source"),
        source_date=row.text("source_date"),
    )


def _source(row: Row) -> tuple[str, str, str]:
    return row.text("subject"), row.text("source"), row.text("source_date")


def read(folder: Path | None = None) -> Reference:
    """Return the reference data of a folder (by default the bundled one), checked throughout.

    `sources.csv` and `national_bodies.csv` are the hub's own; a folder without them takes the
    bundled ones.

    Raises:
        HubError: `reference-invalid`, naming file, line and column of every fault.
    """
    folder = folder or BUNDLED
    problems = Problems()

    def own(file: str) -> Path:
        return folder if (folder / file).exists() else BUNDLED

    forces = read_table(
        folder,
        "police_forces.csv",
        "force_id name welsh_name ons_pfa_code ons_pfa_name country website non_emergency_telephone kind note",
        _force,
        problems,
        key="force_id",
    )
    authorities = read_table(
        folder,
        "childrens_services_authorities.csv",
        "csa_code csa_name csa_name_welsh csa_official_name country",
        _authority,
        problems,
        key="csa_code",
    )
    problems.stop_if_any()  # what refers to these files would be at fault for nothing
    force_codes = {force.code for force in forces}
    authority_codes = {authority.code for authority in authorities}

    def district(row: Row) -> District:
        return District(
            code=row.code("lad_code", ONS_CODE, "an ONS code of nine characters"),
            name=row.text("lad_name"),
            name_welsh=row.optional("lad_name_welsh"),
            official_name=row.text("official_name"),
            authority_type=row.text("authority_type"),
            country=row.text("country"),
            region_code=row.optional("region_code"),
            region_name=row.optional("region_name"),
            force=row.known("force_id", force_codes, "police_forces.csv"),
            authority=row.known("csa_code", authority_codes, "childrens_services_authorities.csv"),
            previous_codes=row.codes("previous_lad_code"),
        )

    districts = read_table(
        folder,
        "local_authorities.csv",
        "lad_code lad_name lad_name_welsh official_name authority_type country region_code"
        " region_name force_id csa_code previous_lad_code",
        district,
        problems,
        key="lad_code",
    )
    problems.stop_if_any()
    force_of = {district.code: district.force for district in districts}

    def unit(row: Row) -> PolicingUnit:
        force = row.known("force_id", force_codes, "police_forces.csv")
        code = row.code("bcu_id", UNIT_CODE, "a unit's code, such as kent/east")
        if not code.startswith(f"{force}/"):
            row.wrong("bcu_id", f"“{code}” does not begin with its force, {force}")
        covered = row.codes("lad_codes")
        for lad in covered:
            if lad not in force_of:
                row.wrong("lad_codes", f"“{lad}” is not in local_authorities.csv")
            elif force_of[lad] != force:
                row.wrong("lad_codes", f"“{lad}” belongs to {force_of[lad]}, not to {force}")
        return PolicingUnit(
            code=code,
            force=force,
            name=row.text("name"),
            label=row.text("unit_type"),
            districts=covered,
            basis=row.text("lad_basis"),
            confidence=row.text("confidence"),
            as_of=row.text("as_of"),
            source=row.text("source"),
            note=row.optional("note"),
        )

    units = read_table(
        folder,
        "bcus.csv",
        "force_id bcu_id name unit_type lad_codes lad_basis confidence as_of source note",
        unit,
        problems,
        key="bcu_id",
    )
    bodies = read_table(
        own("national_bodies.csv"),
        "national_bodies.csv",
        "organisation_code organisation_name organisation_kind unit_code unit_name unit_kind"
        " published_as source source_date",
        _body,
        problems,
        key="organisation_code",
    )
    body_of = {body.published_as: body.code for body in bodies if body.published_as}

    def contact(row: Row) -> PublishedContact:
        national = row.one_of("scope", ("national", "force")) == "national"
        if national:
            row.known("unit", body_of, "national_bodies.csv")
        else:
            row.known("force_id", force_codes, "police_forces.csv")
        purpose, advice = PURPOSES.get(row.one_of("purpose", PURPOSES), ("", None))
        notes = [note for note in (advice, row.optional("note")) if note]
        return PublishedContact(
            force=None if national else row.cells["force_id"],
            body=body_of.get(row.cells["unit"]) if national else None,
            purpose=purpose,
            channel=CHANNELS.get(row.one_of("contact_type", CHANNELS), ""),
            value=row.text("value"),
            source=row.text("source"),
            source_date=row.text("source_date"),
            note=" ".join(notes) or None,
        )

    contacts = read_table(
        folder,
        "published_contacts.csv",
        "scope force_id unit purpose contact_type value source source_date note",
        contact,
        problems,
        key=None,
    )
    sources = read_table(
        own("sources.csv"),
        "sources.csv",
        "subject source source_date",
        _source,
        problems,
        key="subject",
    )
    problems.stop_if_any()
    return Reference(
        forces=forces,
        districts=districts,
        authorities=authorities,
        units=units,
        bodies=bodies,
        contacts=contacts,
        sources={file: (source, date) for file, source, date in sources},
    )
