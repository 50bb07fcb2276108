"""Drawing the map of the forces: from the boundaries of the reference data to SVG paths.

`python -m seed.map` writes the drawing that `directory.force_map` reads; run it when
seed/data/force_boundaries.geojson changes. Longitudes are scaled by the cosine of 53° north, and
everything is rounded to whole units, of which the map is a thousand wide: half a kilometre each,
which is what the boundaries themselves are good for. Neighbours share their vertices, so rounding
leaves no gap between them. London is drawn a second time, larger, in the corner of the Irish Sea,
and the City of London larger still below it.
"""

import json
from collections.abc import Iterable, Sequence
from math import cos, dist, inf, radians
from typing import Any

from directory.force_map import DRAWING
from seed.files import BUNDLED

Point = tuple[float, float]
Ring = list[tuple[int, int]]
Box = tuple[float, float, float, float]

SQUEEZE = cos(radians(53))
WIDTH = 1000
MARGIN = 4
INSETS: dict[str, Box] = {"metropolitan": (4, 4, 316, 300), "city-of-london": (4, 316, 316, 146)}
"""The frames of what is drawn again: left, top, width and height."""
CAPTION = 40
"""The height that a frame keeps for its caption."""
GRID = 12


def drawing(boundaries: dict[str, Any]) -> dict[str, Any]:
    """Return the map of a GeoJSON collection of force areas (WGS 84), as JSON can hold it.

    Coordinates are in units of the view box. Each force has one path, which holds its inset too,
    and a label point inside its largest outline.
    """
    areas = {
        feature["properties"]["force_id"]: _rings(feature["geometry"])
        for feature in boundaries["features"]
    }
    left, top, right, bottom = _bounds(ring for rings in areas.values() for ring in rings)
    scale = (WIDTH - 2 * MARGIN) / (right - left)
    height = round((bottom - top) * scale) + 2 * MARGIN
    forces = {}
    for code, area in areas.items():
        rings = _place(area, scale, (MARGIN - left * scale, MARGIN - top * scale))
        if code in INSETS:
            rings += _place(area, *_fit(area, INSETS[code]))
        forces[code] = {"path": "".join(map(_path, rings)), "label": _label(rings)}
    return {
        "view_box": f"0 0 {WIDTH} {height}",
        "frames": {code: list(frame) for code, frame in INSETS.items()},
        "forces": dict(sorted(forces.items())),
    }


def _rings(geometry: dict[str, Any]) -> list[list[Point]]:
    found = geometry["coordinates"]
    polygons = found if geometry["type"] == "MultiPolygon" else [found]
    return [
        [(longitude * SQUEEZE, -latitude) for longitude, latitude in ring]
        for polygon in polygons
        for ring in polygon
    ]


def _bounds(rings: Iterable[Sequence[Point]]) -> Box:
    points = [point for ring in rings for point in ring]
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def _fit(area: list[list[Point]], frame: Box) -> tuple[float, Point]:
    left, top, right, bottom = _bounds(area)
    x, y, width, height = frame
    x, y, width, height = x + 10, y + CAPTION, width - 20, height - CAPTION - 10
    scale = min(width / (right - left), height / (bottom - top))
    return scale, (
        x + width / 2 - (left + right) / 2 * scale,
        y + height / 2 - (top + bottom) / 2 * scale,
    )


def _place(area: list[list[Point]], scale: float, shift: Point) -> list[Ring]:
    """Return the outlines in units of the map, without those that rounding makes a line or dot."""
    placed = []
    for ring in area:
        points: Ring = []
        for x, y in ring[:-1]:
            point = (round(x * scale + shift[0]), round(y * scale + shift[1]))
            if not points or point != points[-1]:
                points.append(point)
        if _area(points) > 0:
            placed.append(points)
    return placed


def _area(ring: Ring) -> float:
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2


def _path(ring: Ring) -> str:
    (x, y), *rest = ring
    steps = []
    for u, v in rest:
        steps += [u - x, v - y]
        x, y = u, v
    return f"M{ring[0][0]} {ring[0][1]}l" + " ".join(map(str, steps)).replace(" -", "-") + "z"


def _label(rings: list[Ring]) -> list[int]:
    """Return the point of a grid, inside the largest outline, that is farthest from any vertex."""
    largest = max(rings, key=_area)
    left, top, right, bottom = _bounds([largest])
    vertices = [vertex for ring in rings for vertex in ring]
    best, room = largest[0], -inf
    for row in range(1, GRID):
        for column in range(1, GRID):
            x = round(left + (right - left) * column / GRID)
            y = round(top + (bottom - top) * row / GRID)
            if not inside((x, y), rings):
                continue
            nearest = min(dist((x, y), vertex) for vertex in vertices)
            if nearest > room:
                best, room = (x, y), nearest
    return list(best)


def inside(point: Point, rings: Iterable[Sequence[Point]]) -> bool:
    """Return whether a point lies in an area; a ring within a ring is a hole in it."""
    x, y = point
    crossings = 0
    for ring in rings:
        for (a, b), (u, v) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if (b > y) != (v > y) and x < a + (u - a) * (y - b) / (v - b):
                crossings += 1
    return crossings % 2 == 1


def as_text(boundaries: dict[str, Any]) -> str:
    """Return the drawing as its file holds it."""
    return json.dumps(drawing(boundaries), indent=1) + "\n"


def main() -> None:
    """Write the drawing of the bundled boundaries."""
    boundaries = json.loads((BUNDLED / "force_boundaries.geojson").read_text("utf-8"))
    DRAWING.write_text(as_text(boundaries), "utf-8")


if __name__ == "__main__":
    main()
