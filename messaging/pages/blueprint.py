"""The blueprint of messaging's pages, and the words that its templates use."""

from flask import Blueprint

from messaging import wording

blueprint = Blueprint("messaging", "messaging.pages")

blueprint.add_app_template_filter(wording.moment, "moment")
blueprint.add_app_template_filter(wording.time_left, "time_left")
