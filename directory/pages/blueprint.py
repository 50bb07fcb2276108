"""The blueprint of the directory's pages, and the words that its templates use."""

from flask import Blueprint

from directory import hours_text, standing

blueprint = Blueprint("directory", "directory.pages")

blueprint.add_app_template_filter(hours_text.say, "hours")
blueprint.add_app_template_global(standing.standing, "standing_of")
