"""The map of the police forces of England and Wales: areas as SVG paths, without any outside tile.

Drawn by `seed.map` from the boundaries of the Office for National Statistics; which force polices
a place is never read from it, but from the directory's coverage.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DRAWING = Path(__file__).parent / "data" / "force_map.json"


@dataclass(frozen=True, eq=False)
class ForceMap(Mapping[str, str]):
    """Each force's code and its path, all in units of `view_box`.

    `labels` has a point inside each force's largest outline. `frames` has the left, top, width and
    height of the insets, by the force that is drawn again there as a part of its path.
    """

    paths: Mapping[str, str]
    labels: Mapping[str, tuple[int, int]]
    frames: Mapping[str, tuple[int, int, int, int]]
    view_box: str

    def __getitem__(self, code: str) -> str:
        return self.paths[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@cache
def force_paths() -> ForceMap:
    """Return the map, which is read once and kept: the path of each force by its code."""
    found = json.loads(DRAWING.read_text("utf-8"))
    return ForceMap(
        paths={code: force["path"] for code, force in found["forces"].items()},
        labels={code: tuple(force["label"]) for code, force in found["forces"].items()},
        frames={code: tuple(frame) for code, frame in found["frames"].items()},
        view_box=found["view_box"],
    )
