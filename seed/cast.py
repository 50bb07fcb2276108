"""Who plays in the exercise, and on which numbers: fictional people, Ofcom's drama numbers.

The organisations are real, the people are not; every contact says EXERCISE, has the status
`exercise`, and is never shown in actual mode (DOMAIN.md 4.14).
"""

from dataclasses import dataclass
from typing import Any

ISLINGTON = "E09000019/childrens-social-care"
CENTRAL_NORTH = "metropolitan/central-north"
EAST_KENT = "kent/east"
ESSEX = "essex"
NATIONAL = "npcc/missing-persons"
DEVON_AND_CORNWALL_TEAM = "devon-and-cornwall/missing-children-team"


@dataclass(frozen=True)
class Player:
    """A fictional person with a sign-in."""

    email: str
    name: str
    rank_or_role: str
    collar_number: str | None
    organisation: str
    unit: str
    role: str
    shown_as: str


SOCIAL_WORKER = Player(
    "social.worker@islington.example.org",
    "Priya Nandra",
    "Social worker",
    None,
    "E09000019",
    ISLINGTON,
    "practitioner",
    "social worker, Islington",
)
MET_OFFICER = Player(
    "officer@met.example.org",
    "Daniel Okafor",
    "PC",
    "1482CN",
    "metropolitan",
    CENTRAL_NORTH,
    "officer",
    "officer, Met Central North",
)
MET_INSPECTOR = Player(
    "inspector@met.example.org",
    "Ruth Adeyemi",
    "Inspector",
    "207CN",
    "metropolitan",
    CENTRAL_NORTH,
    "supervisor",
    "duty inspector, Met Central North",
)
KENT_OFFICER = Player(
    "officer@kent.example.org",
    "Tom Hurst",
    "DC",
    "11873",
    "kent",
    EAST_KENT,
    "officer",
    "officer, Kent (East Kent)",
)
KENT_INSPECTOR = Player(
    "inspector@kent.example.org",
    "Helen Marsh",
    "Inspector",
    "9104",
    "kent",
    EAST_KENT,
    "supervisor",
    "duty inspector, Kent (East Kent)",
)
COORDINATOR = Player(
    "coordinator@national.example.org",
    "Gareth Pritchard",
    "National coordinator",
    None,
    "npcc",
    NATIONAL,
    "adjudicator",
    "national coordinator",
)
ADMINISTRATOR = Player(
    "directory@national.example.org",
    "Sunita Rao",
    "National administrator",
    None,
    "npcc",
    NATIONAL,
    "national-administrator",
    "national administrator (verifies mailboxes)",
)
KENT_EDITOR = Player(
    "editor@kent.example.org",
    "Alison Webb",
    "Directory editor",
    None,
    "kent",
    "kent",
    "directory-editor",
    "directory editor, Kent",
)
ESSEX_OFFICER = Player(
    "officer@essex.example.org",
    "Mark Field",
    "PC",
    "77215",
    "essex",
    ESSEX,
    "officer",
    "officer, Essex (no part in the case)",
)
PLAYERS = (
    SOCIAL_WORKER,
    MET_OFFICER,
    MET_INSPECTOR,
    KENT_OFFICER,
    KENT_INSPECTOR,
    COORDINATOR,
    ADMINISTRATOR,
    KENT_EDITOR,
    ESSEX_OFFICER,
)

Spans = list[dict[str, Any]]

DAYTIME: Spans = [{"days": [1, 2, 3, 4, 5], "opens": "08:00", "closes": "18:00"}]
OUT_OF_HOURS: Spans = [
    {"days": [1, 2, 3, 4, 5], "opens": "17:00", "closes": "09:00"},
    {"days": [6, 7], "opens": "00:00", "closes": "24:00"},
]
OFFICE: Spans = [{"days": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "17:00"}]


@dataclass(frozen=True)
class Overlay:
    """A contact of the exercise, laid over the real directory."""

    unit: str
    purpose: str
    channel: str
    value: str
    audience: str
    hours: Spans | None = None
    bank_holiday_rule: str = "as-weekday"


def _police(
    unit: str, control_room: str, stem: str, mailbox: str, *, team_hours: bool = True
) -> tuple[Overlay, ...]:
    """Return the numbers of a force: 00 control room, 01 team, 02 duty inspector."""
    team = f"{unit}/missing-children-team"
    hours = DAYTIME if team_hours else None
    return (
        Overlay(control_room, "switchboard-from-outside", "telephone", f"{stem}00", "public"),
        Overlay(
            team,
            "missing-children-team",
            "telephone",
            f"{stem}01",
            "professional",
            hours,
            "closed" if hours else "as-weekday",
        ),
        Overlay(team, "missing-children-team", "email", mailbox, "professional"),
        Overlay(unit, "duty-inspector", "telephone", f"{stem}02", "professional"),
        Overlay(
            unit,
            "duty-inspector",
            "email",
            mailbox.replace("missing", "duty-inspector"),
            "professional",
        ),
    )


OVERLAYS = (
    *_police(
        CENTRAL_NORTH, "metropolitan/control-room", "020 7946 01", "missing.cn@met.example.org"
    ),
    *_police(EAST_KENT, "kent/control-room", "01632 9602", "missing.east@kent.example.org"),
    *_police(
        "devon-and-cornwall",
        "devon-and-cornwall/control-room",
        "01632 9603",
        "missing@devon-cornwall.example.org",
        team_hours=False,
    ),
    *_police(
        "south-wales",
        "south-wales/control-room",
        "01632 9605",
        "missing@south-wales.example.org",
        team_hours=False,
    ),
    *_police(ESSEX, "essex/control-room", "01632 9604", "missing@essex.example.org"),
    Overlay(
        ISLINGTON,
        "childrens-social-care",
        "telephone",
        "020 7946 0201",
        "public",
        OFFICE,
        "closed",
    ),
    Overlay(
        ISLINGTON, "childrens-social-care", "email", "duty@islington.example.org", "professional"
    ),
    Overlay(
        "E09000019/edt", "edt", "telephone", "020 7946 0202", "public", OUT_OF_HOURS, "as-sunday"
    ),
    # Nobody rings the real one in an exercise.
    Overlay("nca/ukmpu", "national-advice", "telephone", "01632 960299", "public"),
)
