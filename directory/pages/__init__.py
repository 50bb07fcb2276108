"""The pages of the directory, one module for each family; importing it registers them."""

from directory.pages import editing, links, nation, reorganising, reports, unit, whom_to_call
from directory.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "editing",
    "links",
    "nation",
    "reorganising",
    "reports",
    "unit",
    "whom_to_call",
]
