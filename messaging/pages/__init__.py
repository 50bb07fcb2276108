"""The pages of messaging, one module for each family; importing it registers them."""

from messaging.pages import (
    attachments,
    board,
    case,
    compose,
    drafts,
    guest,
    inbox,
    live,
    meetings,
    pack,
    placement,
    plan,
    report,
    search,
    settings,
    signed,
    timeline,
)
from messaging.pages.blueprint import blueprint

__all__ = [
    "attachments",
    "blueprint",
    "board",
    "case",
    "compose",
    "drafts",
    "guest",
    "inbox",
    "live",
    "meetings",
    "pack",
    "placement",
    "plan",
    "report",
    "search",
    "settings",
    "signed",
    "timeline",
]
