"""The pages of the directory, one module for each family; importing it registers them."""

from directory.pages import (
    contact,
    downloads,
    editing,
    exchange,
    history,
    links,
    nation,
    organisation,
    reorganising,
    reports,
    saved_copy,
    suggesting,
    trust,
    unit,
    whom_to_call,
    withdrawing,
)
from directory.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "contact",
    "downloads",
    "editing",
    "exchange",
    "history",
    "links",
    "nation",
    "organisation",
    "reorganising",
    "reports",
    "saved_copy",
    "suggesting",
    "trust",
    "unit",
    "whom_to_call",
    "withdrawing",
]
