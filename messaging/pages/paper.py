"""A paper of A4 pages: marked on each with who printed it and when, tagged for screen readers.

Text is broken and placed here and not by fpdf2, whose own way takes ten times as long.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import as_file, files

from flask_babel import gettext as _
from fpdf import FPDF, ViewerPreferences
from fpdf.fonts import TTFFont
from fpdf.outline import OutlineSection

from messaging import wording
from messaging.pages import lettering
from messaging.timeline import Strip

FONT, LEFT, TOP, BOTTOM, WIDTH, LABEL, GAP, LINE = "hub", 15.0, 24.0, 276.0, 180.0, 52.0, 3.0, 4.8
BLACK, GREY, RED, BLUE, MARK = (
    (11, 12, 12),
    (80, 90, 95),
    (185, 40, 20),
    (29, 63, 114),
    (234, 236, 238),
)
SMALLEST = 5
ALIAS = "{total}"
"""What stands for the number of pages until it is known; as wide as the largest number."""
MISSING = "\u25a1"
logging.getLogger("fontTools").setLevel(logging.WARNING)


class Paper(FPDF):
    """Pages with a head and a foot, on which headings, pairs and lines follow one another."""

    def __init__(
        self, *, reference: str, status: str, classification: str, printed_by: str, now: datetime
    ) -> None:
        super().__init__()
        self.reference, self.status, self.classification = reference, status, classification
        self.mark = _("Printed by %(who)s, %(at)s", who=printed_by, at=wording.moment(now))
        self.goes_on = ""
        self.unprintable = False
        self._contents_at = 0
        self._marks: Counter[int] = Counter()
        self._known: dict[tuple[str, str], float] = {}
        for style, name in (("", "regular.ttf"), ("B", "bold.ttf")):
            with as_file(files("hub.web").joinpath("static/build/fonts") / name) as path:
                self.add_font(FONT, style, path)
        self.set_lang("en-GB")
        self.set_title(_("Handover pack %(reference)s", reference=reference))
        self.set_author("Missing Children Hub")
        self.set_creation_date(now)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_margins(LEFT, TOP, LEFT)
        self.set_auto_page_break(False)
        self.alias_nb_pages(ALIAS)

    def header(self) -> None:
        """Print the mark across the page, the classification, and that it is an exercise."""
        self._out("/Artifact BMC")
        with self.rotation(50, 105, 148):
            size = self._fitting(self.mark, 15, 160)
            self.style(size, MARK, "B")
            for y in (90, 150, 210):
                self._put((210 - self._wide(self.mark)) / 2, y, self.mark)
        self.style(10, BLACK, "B")
        self._middle(8, self.classification)
        if self.status != "actual":
            word = _("EXERCISE") if self.status == "exercise" else _("TEST")
            self.style(10, RED, "B")
            self._middle(14, f"{word} {word} {word}")
        self._out("EMC")
        self.set_xy(LEFT, TOP)

    def footer(self) -> None:
        """Print the reference, who printed it, and the page's number."""
        self._out("/Artifact BMC")
        self.style(8, GREY)
        for n, line in enumerate(self._broken(f"{self.reference}. {self.mark}", WIDTH - 32)[:3]):
            self._put(LEFT, 282 + n * 3.6, line)
        page = _("Page %(page)s of %(all)s", page=self.page_no(), all=ALIAS)
        self.set_xy(LEFT + WIDTH - 32, 282)
        self.cell(32, 3.6, page, align="R")
        self._out("EMC")

    def style(self, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        """Set the letters of what follows: size in points."""
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)

    def heading(self, level: int, text: str, *, size: float, follow: float) -> None:
        """Print a heading with room for what follows it, in millimetres."""
        height = size * 0.55
        self.style(size, BLUE, "B")
        found = self._broken(text, WIDTH)
        self.room(height * len(found) + follow)
        if level == 1:
            self.start_section(text)
        self.style(size, BLUE, "B")
        with self._tag(f"H{level}"):
            for line in found:
                self._put(LEFT, self.y, line, height)
                self.y += height

    def say(self, text: str, size: float = 9, colour: tuple[int, int, int] = BLACK) -> None:
        """Print a paragraph across the page."""
        self._flow([], text, LEFT, WIDTH, size, colour)

    def pair(self, label: str, value: str) -> None:
        """Print what is said of something beside what it is called."""
        self.style(9, BLACK, "B")
        labels = self._broken(label, LABEL)
        self._flow(labels, value, LEFT + LABEL + GAP, WIDTH - LABEL - GAP, 9, BLACK)
        self.y += 0.8

    def contents_here(self, write: Callable[[FPDF, list[OutlineSection]], None]) -> None:
        """Leave room on this page for the contents, and begin the next one."""
        self._contents_at = len(self.struct_builder.doc_struct_elem.k)
        self.insert_toc_placeholder(write)

    def contents(self, title: str, sections: Sequence[tuple[str, int]]) -> None:
        """Print the contents where room was left for them, each line a link to its page."""
        tags = self.struct_builder.doc_struct_elem.k
        before = len(tags)
        self.style(15, BLUE, "B")
        with self._tag("H1"):
            self._put(LEFT, self.y, title, 9)
        self.y += 9
        self.style(10, BLACK)
        for name, page in sections:
            with self._tag("P"):
                self._put(LEFT, self.y, f"{name}:", 6)
                self._put(LEFT + 120 - self._wide(str(page)), self.y, str(page), 6)
            self.link(LEFT, self.y, 120, 6, self.add_link(page=page), alt_text=name)
            self.y += 6
        moved = tags[before:]
        del tags[before:]
        tags[self._contents_at : self._contents_at] = moved

    def room(self, height: float) -> None:
        """Begin another page unless this one has so much room left, in millimetres."""
        if self.y + height > BOTTOM and self.y > TOP:
            self.another_page()

    def another_page(self) -> None:
        """Begin another page, which says what goes on there."""
        self.add_page()
        if self.goes_on:
            self._out("/Artifact BMC")
            self.style(8, GREY)
            for line in self._broken(self.goes_on, WIDTH)[:1]:
                self._put(LEFT, self.y, line)
            self._out("EMC")
            self.y += LINE + 1

    def _flow(
        self, labels: Sequence[str], text: str, x: float, wide: float, size: float,
        colour: tuple[int, int, int],
    ) -> None:  # fmt: skip
        """Print lines over as many pages as they take, none of them alone on its page."""
        self.style(size, colour)
        found = self._broken(text, wide)
        found += [""] * (len(labels) - len(found))
        while found:
            take = self._fit(len(found))
            if take == 0:
                self.another_page()
                continue
            with self._tag("P"):
                self.style(size, BLACK, "B")
                for n, line in enumerate(labels[:take]):
                    self._put(LEFT, self.y + n * LINE, line)
                self.style(size, colour)
                for line in found[:take]:
                    self._put(x, self.y, line)
                    self.y += LINE
            found, labels = found[take:], labels[take:]
            if found:
                self.another_page()

    def _fit(self, count: int) -> int:
        """Return how many of so many lines go on this page; 0: none, they begin on the next."""
        space = int((BOTTOM - self.y) / LINE)
        if count <= space:
            return count
        if self.y <= TOP + 2 * LINE:
            return space
        return 0 if count <= 3 or space < 2 else min(space, count - 2)

    def room_for(self, strip: Strip, above: float = 0) -> None:
        """Begin another page unless a strip goes on this one, with so much above it."""
        self.room(strip.height * _scale(strip) + 4 + above)

    def strip(self, strip: Strip, says: str) -> None:
        """Draw a strip of a timeline, with what it shows in words."""
        scale = _scale(strip)
        self.room_for(strip)
        top = self.y
        self.style(6, BLACK)
        axis = top + (strip.height - 34) * scale
        with self._tag("Figure", says):
            self.set_draw_color(205, 210, 214)
            for tick in strip.ticks:
                x = LEFT + tick.x * scale
                self._rule(x, top, x, axis + 1)
                self._put(LEFT + tick.label_x * scale, axis + 1.5, wording.moment(tick.at))
            self.set_draw_color(*GREY)
            self._rule(LEFT, axis, LEFT + strip.width * scale, axis)
            for lane in strip.lanes:
                self.style(6, BLACK, "B")
                self.text(
                    LEFT, top + (lane.y + 14) * scale, str(wording.LANES.get(lane.name, lane.name))
                )
                self.style(6, BLACK)
                for one in lane.drawn:
                    y = top + (lane.y + 20 + one.row * 24) * scale
                    x, wide = LEFT + one.x0 * scale, (one.x1 - one.x0) * scale
                    self.set_fill_color(*((238, 240, 242) if one.kind != "point" else BLUE))
                    if one.kind == "bar":
                        self.rect(x, y, wide, 19 * scale, style="DF")
                    else:
                        self.ellipse(x, y + (10 * scale - wide / 2), wide, wide, style="DF")
                    at = one.label_x * scale
                    if one.kind == "mark":
                        at -= self._wide(one.label) / 2
                    elif one.ends:
                        at = (one.x0 - 4) * scale - self._wide(one.label)
                    self._put(LEFT + at, y, one.label, 20 * scale)
        self.y = top + strip.height * scale + 4

    def _rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Draw a thin line."""
        self.set_line_width(0.1)
        self.line(x0, y0, x1, y1)

    def _middle(self, y: float, text: str) -> None:
        self._put((210 - self._wide(text)) / 2, y, text)

    def _put(self, x: float, y: float, line: str, height: float = LINE) -> None:
        if line:
            self.text(x, y + height / 2 + 0.3 * self.font_size, line)

    def _broken(self, text: str, wide: float) -> list[str]:
        return lettering.lines(self._printable(text), wide, self._wide)

    def _printable(self, text: str) -> str:
        """Return text with a box for each letter that the paper's letters do not have."""
        if text.isascii():
            return text
        has = self._letters().cmap
        missing = {c for c in set(lettering.clean(text)) - {"\n"} if ord(c) not in has}
        if missing:
            self.unprintable = True
            text = "".join(MISSING if c in missing else c for c in lettering.clean(text))
        return text

    def _wide(self, text: str) -> float:
        """Return how wide text is in the present letters, in millimetres."""
        key = (self.font_style, text)
        units = self._known.get(key)
        if units is None:
            widths = self._letters().cw
            units = self._known[key] = float(sum(widths[ord(c)] for c in text))
        return units * self.font_size / 1000

    def _letters(self) -> TTFFont:
        font = self.current_font
        assert isinstance(font, TTFFont)  # noqa: S101  # there is no other here
        return font

    def _fitting(self, text: str, size: float, wide: float) -> float:
        self.style(size, BLACK, "B")
        return max(SMALLEST, min(size, size * wide / self._wide(text)))

    @contextmanager
    def _tag(self, kind: str, alt: str | None = None) -> Iterator[None]:
        """Say of what is printed meanwhile what it is, for whoever has it read out."""
        mcid = self._marks[self.page]
        self._marks[self.page] += 1
        self._add_marked_content(struct_type=f"/{kind}", mcid=mcid, alt_text=alt)
        self._out(f"/{kind} <</MCID {mcid}>> BDC")
        yield
        self._out("EMC")


def _scale(strip: Strip) -> float:
    """Return how large a strip is drawn: as wide as the page, or as high where it is too high."""
    return min(WIDTH / strip.width, (BOTTOM - TOP - 8) / strip.height)
