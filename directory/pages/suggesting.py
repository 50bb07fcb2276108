"""Suggestions while somebody types in the search box: names of the public directory, as JSON."""

import re

from flask import Response, json, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from directory import search
from directory.pages.asking import moment_asked
from directory.pages.blueprint import blueprint
from directory.reading import holder
from directory.search import Found
from hub.web import ratelimit
from hub.web.context import current_actor, now
from hub.web.guards import page, public

MOST_TYPED = 60
PER_WINDOW = 1200
"""Of one address in a minute: a whole control room may type behind one."""
FRESH_SECONDS = 60

_POSTCODE_BEGUN = re.compile(r"[a-z]{1,2}[0-9][a-z0-9]? *([0-9][a-z]{0,2})?", re.IGNORECASE)


def kinds() -> dict[str, str]:
    """Return what people call each kind of thing that can be found."""
    return {
        "district": _("district"),
        "council": _("council"),
        "force": _("police force"),
        "unit": _("police unit"),
    }


def words() -> dict[str, str]:
    """Return what is said while somebody types; {n}, {name} and {at} are put in by the script."""
    return {
        "hint": _(
            "Suggestions come as you type: use the up and down arrows to look through them, and"
            " Enter to choose. Without choosing, Enter looks up what you typed."
        ),
        "short": _("Type two or more letters for suggestions."),
        "none": _("No suggestions. Press Enter to look up what you typed."),
        "one": _("One suggestion."),
        "many": _("{n} suggestions."),
        "chosen": _("{name}, {at} of {n}, is highlighted."),
    }


@page(blueprint, "/directory/suggestions", guard=public, offline=True)
def suggestions() -> ResponseReturnValue:
    """Answer what a text may become: `{suggestions: [{code, name, about}]}`; of postcodes, nothing."""
    if not current_actor().signed_in:
        ratelimit.count("suggestions", request.remote_addr or "", PER_WINDOW)
    typed = request.args.get("q", "").strip()[:MOST_TYPED]
    at, problem = moment_asked()
    found: list[Found] = []
    if not problem and not _POSTCODE_BEGUN.fullmatch(typed):
        found = search.suggest(holder().current(now(), at), typed)
    document = {
        "suggestions": [{"code": one.code, "name": one.name, "about": _about(one)} for one in found]
    }
    response = Response(json.dumps(document, separators=(",", ":")), mimetype="application/json")
    response.cache_control.private = True
    response.cache_control.max_age = FRESH_SECONDS
    return response


def _about(found: Found) -> str:
    """Say what something is, where, and which other name of it was typed, if one was."""
    parts = [kinds()[found.kind], found.detail]
    plain = found.why in ("name", "code") or f" name “{found.name}”" in f" {found.why}"
    return ", ".join(filter(None, [*parts, "" if plain else found.why]))
