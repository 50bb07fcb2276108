"""Organisations and their units: what identity and both features stand on."""

from hub.organisations.model import Organisation, Unit, UnitRenaming, UnitSuccession
from hub.organisations.tree import (
    find_organisation,
    find_unit,
    lineage,
    standing_on,
    units_below,
)

__all__ = [
    "Organisation",
    "Unit",
    "UnitRenaming",
    "UnitSuccession",
    "find_organisation",
    "find_unit",
    "lineage",
    "standing_on",
    "units_below",
]
