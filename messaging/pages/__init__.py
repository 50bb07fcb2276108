"""The pages of messaging, one module for each family; importing it registers them."""

from messaging.pages import case, compose, drafts, guest, inbox, report, settings, signed
from messaging.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "case",
    "compose",
    "drafts",
    "guest",
    "inbox",
    "report",
    "settings",
    "signed",
]
