"""Style sheets, scripts and icons: named by their content, compressed once, kept by browsers."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import brotli
from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from hub.web.guards import page, public

blueprint = Blueprint("assets", __name__)

YEAR = 31_536_000
PACKAGES = {"hub": "hub.web", "directory": "directory", "messaging": "messaging"}
"""Which package's `static` folder the first part of an asset's name is."""


@dataclass(frozen=True)
class Asset:
    """One file as it is served, in each coding."""

    mark: str
    mimetype: str
    plain: bytes
    gzip: bytes
    brotli: bytes


@cache
def asset(name: str) -> Asset | None:
    """Return the asset of a name such as hub/hub.css, or None."""
    package, _, rest = name.partition("/")
    steps = rest.split("/")
    if package not in PACKAGES or any(
        step in ("", ".", "..") or step.startswith(".") for step in steps
    ):
        return None
    file = files(PACKAGES[package]).joinpath("static", *steps)
    if not file.is_file():
        return None
    content = file.read_bytes()
    return Asset(
        hashlib.sha256(content).hexdigest()[:12],
        mimetypes.guess_type(name)[0] or "application/octet-stream",
        content,
        gzip.compress(content, 9, mtime=0),
        brotli.compress(content),
    )


def static_url(name: str) -> str:
    """Return the address of an asset, which changes when its content does."""
    found = asset(name)
    if found is None:
        raise FileNotFoundError(f"no asset {name}: run `make setup`")
    return url_for("assets.serve", name=name, v=found.mark)


@page(blueprint, "/static/<path:name>", guard=public, offline=True)
def serve(name: str) -> ResponseReturnValue:
    """Answer an asset in the best coding that the browser takes."""
    found = asset(name)
    if found is None:
        abort(404)
    codings = set(request.accept_encodings.values())
    if "br" in codings:
        response = Response(found.brotli, headers={"Content-Encoding": "br"})
    elif "gzip" in codings:
        response = Response(found.gzip, headers={"Content-Encoding": "gzip"})
    else:
        response = Response(found.plain)
    response.mimetype = found.mimetype
    response.headers["Vary"] = "Accept-Encoding"
    response.set_etag(found.mark)
    fresh = request.args.get("v") == found.mark
    response.cache_control.public = True
    response.cache_control.max_age = YEAR if fresh else 300
    response.cache_control.immutable = fresh
    return response.make_conditional(request)


@page(blueprint, "/favicon.ico", guard=public, offline=True)
def favicon() -> ResponseReturnValue:
    """Answer the icon to browsers that ask for none in particular."""
    return serve(name="hub/icon.svg")
