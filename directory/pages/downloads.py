"""What a reader may take away: a unit, an organisation or the nation, in the form that suits them."""

import json
import threading
from collections.abc import Callable, Mapping
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from directory import downloads
from directory.downloads import Extract
from directory.pages.blueprint import blueprint
from directory.reading import lookup, moment, reader
from directory.vcards import as_vcards
from hub.clock import LONDON
from hub.errors import not_found
from hub.web import ratelimit
from hub.web.context import current_actor
from hub.web.guards import page, public

Form = Callable[[Extract], bytes]
_printing = threading.Lock()


def _pdf(extract: Extract) -> bytes:
    """Return an extract on paper; what everybody prints is set once an hour and version."""
    from directory.printed import printed  # what sets type is loaded when somebody prints

    cache = lookup().snapshot.cache
    units = tuple(one.unit.id for entry in extract.entries for one in entry.units)
    key = ("printed", extract.title, units, extract.reader)
    hour = f"{extract.at:%Y-%m-%dT%H}"
    with _printing:
        held = cache.get(key)
        if held is None or held[0] != hour:
            held = cache[key] = (hour, printed(extract))
    content: bytes = held[1]
    return content


FORMS: Mapping[str, tuple[str, Form]] = {
    "csv": ("text/csv", lambda extract: downloads.as_csv(extract).encode()),
    "json": (
        "application/json",
        lambda extract: json.dumps(downloads.as_json(extract), ensure_ascii=False).encode(),
    ),
    "vcf": ("text/vcard", lambda extract: as_vcards(extract).encode()),
    "pdf": ("application/pdf", _pdf),
}
EXTENSION = "<any(csv,json,vcf,pdf):form>"


@page(blueprint, f"/directory/units/<uuid:unit_id>.{EXTENSION}", guard=public, offline=True)
def unit_download(unit_id: UUID, form: str) -> ResponseReturnValue:
    """Hand out a unit and its team."""
    snapshot = lookup().snapshot
    unit = snapshot.units.get(unit_id)
    if unit is None:
        raise not_found()
    extract = downloads.of_unit(snapshot, unit, reader(current_actor()), moment())
    return _handed_out(extract, unit.code.replace("/", "-"), form)


@page(blueprint, f"/directory/forces/<code>.{EXTENSION}", guard=public, offline=True)
def force_download(code: str, form: str) -> ResponseReturnValue:
    """Hand out an organisation with all its units."""
    snapshot = lookup().snapshot
    found = snapshot.organisation_by_code.get(code)
    if found is None:
        raise not_found()
    extract = downloads.of_organisation(snapshot, found, reader(current_actor()), moment())
    return _handed_out(extract, code, form)


@page(blueprint, f"/directory/national.{EXTENSION}", guard=public, offline=True)
def national_download(form: str) -> ResponseReturnValue:
    """Hand out the whole directory that its reader may see."""
    extract = downloads.of_nation(lookup().snapshot, reader(current_actor()), moment())
    return _handed_out(extract, "national", form)


def _handed_out(extract: Extract, name: str, form: str) -> ResponseReturnValue:
    if not current_actor().signed_in:
        ratelimit.public(request.remote_addr or "")
    mimetype, write = FORMS[form]
    day = extract.at.astimezone(LONDON).date()
    mark = "EXERCISE-" if extract.reader.status == "exercise" else ""
    file = f"{mark}directory-{name}-{extract.audience}-{day}.{form}"
    return Response(
        write(extract), mimetype=mimetype,
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )  # fmt: skip
