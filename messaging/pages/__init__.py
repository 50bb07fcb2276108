"""The pages of messaging, one module for each family; importing it registers them."""

from messaging.pages import (
    board,
    case,
    compose,
    drafts,
    guest,
    inbox,
    live,
    report,
    settings,
    signed,
)
from messaging.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "board",
    "case",
    "compose",
    "drafts",
    "guest",
    "inbox",
    "live",
    "report",
    "settings",
    "signed",
]
