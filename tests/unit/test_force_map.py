"""The map of the forces: what is drawn is the boundaries, and every force can be reached on it."""

import csv
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from jinja2 import Environment, PackageLoader

from directory.force_map import DRAWING, force_paths
from seed import map as maker
from seed.files import BUNDLED

SVG = "{http://www.w3.org/2000/svg}"
STATES = {
    "problem": "Reported wrong",
    "none": "Nothing given yet",
    "overdue": "Overdue",
    "incomplete": "Incomplete",
    "complete": "Complete",
}


@pytest.fixture(scope="module")
def boundaries() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BUNDLED / "force_boundaries.geojson").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def territorial() -> dict[str, str]:
    with (BUNDLED / "police_forces.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["force_id"]: row["name"] for row in rows if row["kind"] == "territorial"}


def _outlines(path: str) -> list[list[tuple[int, int]]]:
    outlines = []
    for part in path.split("z")[:-1]:
        x, y, *steps = map(int, re.findall(r"-?\d+", part))
        outline = [(x, y)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            outline.append((x, y))
        outlines.append(outline)
    return outlines


def _rendered(call: str, **values: object) -> ElementTree.Element:
    environment = Environment(loader=PackageLoader("directory"), autoescape=True)
    environment.globals["_"] = lambda text: text
    source = '{% from "directory/_map.html" import force_map, map_legend %}{{ ' + call + " }}"
    text = environment.from_string(source).render(**values)
    text = text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    return ElementTree.fromstring(text)  # noqa: S314  # our own template's


def _forces(territorial: dict[str, str]) -> list[dict[str, str]]:
    states = list(STATES)
    return [
        {
            "code": code,
            "name": name,
            "url": f"/directory/forces/{code}",
            "state": states[number % len(states)],
            "state_text": STATES[states[number % len(states)]],
        }
        for number, (code, name) in enumerate(territorial.items())
    ]


def test_the_drawing_is_what_the_boundaries_give(boundaries: dict[str, Any]) -> None:
    assert DRAWING.read_text("utf-8") == maker.as_text(boundaries)
    assert DRAWING.stat().st_size < 120_000


def test_every_territorial_force_is_drawn_within_the_view(territorial: dict[str, str]) -> None:
    paths = force_paths()
    assert set(paths) == set(paths.labels) == set(territorial)
    assert len(paths) == 43
    _, _, width, height = map(int, paths.view_box.split())
    for code, path in paths.items():
        outlines = _outlines(path)
        assert all(0 <= x <= width and 0 <= y <= height for line in outlines for x, y in line)
        assert maker.inside(paths.labels[code], outlines), code


def test_the_drawing_lies_where_the_force_does() -> None:
    def middle(code: str) -> tuple[int, int]:
        return force_paths().labels[code]

    assert middle("northumbria")[1] < middle("west-yorkshire")[1] < middle("sussex")[1]
    assert middle("devon-and-cornwall")[0] < middle("wiltshire")[0] < middle("kent")[0]


def test_each_inset_holds_its_force_once_more_and_nothing_else() -> None:
    paths = force_paths()
    assert set(paths.frames) == {"metropolitan", "city-of-london"}
    for code, (left, top, width, height) in paths.frames.items():
        held = {
            other
            for other, path in paths.items()
            for line in _outlines(path)
            for x, y in line
            if left <= x <= left + width and top <= y <= top + height
        }
        assert held == {code}
        outside = [line for line in _outlines(paths[code]) if line[0][0] > left + width]
        assert outside, "the force is drawn in its place too"


def test_every_force_is_a_link_with_a_title(territorial: dict[str, str]) -> None:
    forces = _forces(territorial)
    figure = _rendered('force_map(paths, forces, "table")', paths=force_paths(), forces=forces)
    drawing = figure.find(f"{SVG}svg")
    assert drawing is not None
    assert drawing.get("role") == "group"
    assert drawing.get("aria-label")
    links = drawing.findall(f"{SVG}a")
    assert [link.get("href") for link in links] == [force["url"] for force in forces]
    for link, force in zip(links, forces, strict=True):
        named = f"{force['name']}: {force['state_text']}"
        assert link.findtext(f"{SVG}title") == named
        path = link.find(f"{SVG}path")
        assert path is not None
        assert path.get("d") == force_paths()[force["code"]]


def test_a_state_is_told_by_a_pattern_that_is_there(territorial: dict[str, str]) -> None:
    forces = _forces(territorial)
    figure = _rendered('force_map(paths, forces, "table")', paths=force_paths(), forces=forces)
    patterns = {one.get("id") for one in figure.iter(f"{SVG}pattern")}
    told: dict[str, set[str | None]] = {state: set() for state in STATES}
    for link, force in zip(figure.iter(f"{SVG}a"), forces, strict=True):
        told[force["state"]] |= {path.get("fill") for path in link.iter(f"{SVG}path")}
    assert told == {
        "complete": {None},
        "none": {None},
        **{state: {f"url(#dir-map-{state})"} for state in ("incomplete", "overdue", "problem")},
    }
    assert {f"dir-map-{state}" for state in ("incomplete", "overdue", "problem")} == patterns


def test_a_map_without_states_names_the_forces_alone(territorial: dict[str, str]) -> None:
    forces = [one | {"state": "", "state_text": ""} for one in _forces(territorial)]
    figure = _rendered('force_map(paths, forces, "table")', paths=force_paths(), forces=forces)
    assert [title.text for title in figure.iter(f"{SVG}title")] == list(territorial.values())
    assert {link.get("class") for link in figure.iter(f"{SVG}a")} == {
        "dir-map__force dir-map__force--plain"
    }


def test_what_is_not_a_territorial_force_has_no_place_on_the_map() -> None:
    force = {"code": "btp", "name": "X", "url": "/x", "state": "problem", "state_text": "Y"}
    figure = _rendered('force_map(paths, forces, "table")', paths=force_paths(), forces=[force])
    assert not list(figure.iter(f"{SVG}a"))


def test_the_legend_says_each_state_in_words() -> None:
    legend = _rendered("map_legend(states, counts)", states=STATES, counts={"none": 41})
    said = [" ".join("".join(item.itertext()).split()) for item in legend.findall("li")]
    assert said == [
        "! Reported wrong",
        "Nothing given yet: 41",
        "Overdue",
        "Incomplete",
        "Complete",
    ]
    assert all(one.get("aria-hidden") == "true" for one in legend.iter(f"{SVG}svg"))
