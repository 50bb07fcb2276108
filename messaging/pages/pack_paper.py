"""A case on paper: a paged PDF that says on every page who printed it and when. Pure."""

import logging
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any

from flask_babel import gettext as _
from fpdf import FPDF, ViewerPreferences
from fpdf.enums import XPos, YPos

from messaging import wording
from messaging.timeline import Strip

FONT, WIDTH, LINE = "hub", 180.0, 4.8
BLACK, GREY, RED, BLUE = (11, 12, 12), (80, 90, 95), (212, 53, 28), (29, 63, 114)
logging.getLogger("fontTools").setLevel(logging.WARNING)


def printed(document: dict[str, Any]) -> bytes:
    """Return a case as its reader was shown it, as a PDF of A4 pages."""
    paper = _Paper(document)
    paper.cover()
    paper.body()
    return bytes(paper.output())


class _Paper(FPDF):
    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__()
        self.v = document
        self.mark = _("Printed by %(who)s, %(at)s", who=document["printed_by"],
                      at=wording.moment(document["now"]))  # fmt: skip
        for style, name in (("", "regular.ttf"), ("B", "bold.ttf")):
            with as_file(files("hub.web").joinpath("static/build/fonts") / name) as path:
                self.add_font(FONT, style, path)
        self.set_lang("en-GB")
        self.set_title(_("Handover pack %(reference)s", reference=document["reference"]))
        self.set_author("Missing Children Hub")
        self.set_creation_date(document["now"])
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_margins(15, 24, 15)
        self.set_auto_page_break(True, 20)
        self.alias_nb_pages()

    def header(self) -> None:
        """Print the mark across the page, the classification, and that it is an exercise."""
        with self.local_context(fill_opacity=0.1), self.rotation(50, 105, 148):
            self._style(15, GREY, "B")
            for y in (90, 150, 210):
                self.set_xy(-20, y)
                self.cell(250, 8, self.mark, align="C")
        self.set_xy(15, 8)
        self._style(10, BLACK, "B")
        self.cell(WIDTH, LINE, self.v["classification"], align="C")
        if self.v["status"] != "actual":
            word = _("EXERCISE") if self.v["status"] == "exercise" else _("TEST")
            self.set_xy(15, 14)
            self._style(10, RED, "B")
            self.cell(WIDTH, LINE, f"{word} {word} {word}", align="C")
        self.set_xy(15, 24)

    def footer(self) -> None:
        """Print the reference, who printed it, and the page's number."""
        self.set_y(-15)
        self._style(8, GREY)
        self.cell(WIDTH - 30, LINE, f"{self.v['reference']}. {self.mark}")
        page = _("Page %(page)s of %(all)s", page=self.page_no(), all="{nb}")
        self.cell(30, LINE, page, align="R")

    def cover(self) -> None:
        """Print whose pack it is, how to handle it, and leave a page for the contents."""
        self.add_page()
        self._style(24, BLUE, "B")
        self._lines(_("Handover pack"), 12)
        self._style(16, BLACK, "B")
        self._lines(self.v["reference"], 9)
        self.ln(4)
        self._pair(_("Status"), self.v["status"])
        self._pair(_("Classification"), self.v["classification"])
        self._pair(_("Handling"), _(
            "For the purpose below alone. Keep it locked away; shred it."
            " It holds what the reader’s unit may see."
        ))  # fmt: skip
        self._pair(_("Printed by"), self.v["printed_by"])
        self._pair(_("Printed at"), wording.moment(self.v["now"]))
        self._pair(_("Why"), self.v["purpose"])
        self.add_page()
        self.insert_toc_placeholder(_contents, pages=1)

    def body(self) -> None:
        """Print the case: where it stands, the child, its timeline, its leads, its conversation."""
        v = self.v
        self._section(_("Where it stands"))
        if v["lead"]:
            self._pair(_("Who leads"), f"{v['lead']['unit']}: {v['lead']['officer']}")
            self._pair(_("Since"), f"{wording.moment(v['lead']['since'])}. {v['lead']['basis']}")
        else:
            self._pair(_("Who leads"), _("The case is closed. Nobody leads.") if v["closed_at"]
                       else _("Nobody leads"))  # fmt: skip
        self._pair(_("Risk"), v["risk"] or _("not given"))
        if v["report"]:
            self._pair(_("The report"), f"{v['report']['name']}: {v['report']['unit']}")
        if v["request"]:
            one = v["request"]
            due = wording.moment(one["due_at"]) if one["due_at"] else _("not told yet")
            self._pair(_("Open request"), f"{one['from_unit']} > {one['to_unit']}, {due}")
        for one in v["questions"]:
            self._pair(_("Open question"), f"{one['asked_by']} > {one['to']},"
                       f" {wording.moment(one['needed_by'])}")  # fmt: skip
        for one in (v["stands"] or {}).get("due", []):
            self._pair(str(wording.CLOCKS[one["kind"]]), wording.moment(one["at"]))
        for one in (v["stands"] or {}).get("given", []):
            self._pair(str(wording.TAKEN_OVER[one["kind"]]), one["words"])
        self._section(_("The child, as given"))
        for row in v["child"]:
            self._pair(row["label"], row["value"])
        self._section(_("Timeline"))
        for strip in v["strips"]:
            self._strip(strip)
        for row in v["table"]:
            when = wording.moment(row["since"])
            if row["until"]:
                when = f"{when} – {wording.moment(row['until'])}"
            number = f" ({row['number']})" if row["number"] else ""
            self._pair(when, f"{row['lane']}: {row['label']}{number}")
        self._section(_("Who has led"))
        for row in v["tenures"]:
            ended = wording.moment(row["until"]) if row["until"] else _("leads now")
            self._pair(f"{wording.moment(row['since'])} – {ended}",
                       f"{row['unit']}: {row['officer']}. {row['basis']}")  # fmt: skip
        self._section(_("Conversation"))
        for message in reversed(v["messages"]):
            self._message(message)

    def _message(self, message: dict[str, Any]) -> None:
        if self.will_page_break(24):
            self.add_page()
        self._style(11, BLUE, "B")
        urgent = f" ({_('Urgent')})" if message["urgent"] else ""
        self._lines(f"{message['number']}. {message['name']}{urgent}", 6)
        self._style(9, GREY)
        self._lines(f"{wording.moment(message['sent_at'])}, {message['sender']}", LINE)
        for row in message["fields"]:
            self._pair(row["label"], row["value"])
        for file in message["files"]:
            self._pair(_("File"), f"{file['name']}, {file['kind']}, {file['size']}")
        if message["withheld"]:
            self._style(9, GREY)
            self._lines(_("Part of this message is for others."), LINE)
        for to in message["recipients"]:
            facts = "; ".join(_fact(one["name"], one["at"], one["who"]) for one in to["facts"])
            self._pair(_("To %(unit)s", unit=to["unit"]), facts)
        self.ln(3)

    def _strip(self, strip: Strip) -> None:
        scale = WIDTH / strip.width
        if self.will_page_break(strip.height * scale + 4):
            self.add_page()
        top = self.get_y()
        self._style(6, BLACK)
        self.set_draw_color(*GREY)
        for lane in strip.lanes:
            self.text(15, top + (lane.y + 14) * scale, str(wording.LANES.get(lane.name, lane.name)))
            for one in lane.drawn:
                y = top + (lane.y + 20 + one.row * 24) * scale
                x, wide = 15 + one.x0 * scale, (one.x1 - one.x0) * scale
                if one.kind == "bar":
                    self.rect(x, y, wide, 19 * scale)
                else:
                    self.ellipse(x, y + (11 * scale - wide / 2), wide, wide)
                shift = self.get_string_width(one.label) / 2 if one.kind == "mark" else 0
                self.text(15 + one.label_x * scale - shift, y + 15 * scale, one.label)
        for tick in strip.ticks:
            self.text(
                15 + tick.x * scale, top + (strip.height - 12) * scale, wording.moment(tick.at)
            )
        self.set_y(top + strip.height * scale + 4)

    def _section(self, name: str) -> None:
        self.ln(4)
        if self.will_page_break(30):
            self.add_page()
        self.start_section(name)
        self._style(15, BLUE, "B")
        self._lines(name, 9)

    def _pair(self, label: str, value: object) -> None:
        self._style(9, BLACK, "B")
        self._lines(str(label), LINE)
        self._style(9, BLACK)
        self._lines(str(value) or _("not given"), LINE)

    def _style(self, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)

    def _lines(self, text: str, height: float) -> None:
        self.multi_cell(WIDTH, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _fact(name: object, at: datetime | None, who: str) -> str:
    if at is None:
        return f"{name}: {_('not yet')}"
    return f"{name}: {wording.moment(at)}" + (f", {who}" if who else "")


def _contents(pdf: FPDF, sections: list[Any]) -> None:
    pdf.set_xy(15, 24)
    pdf.set_font(FONT, "B", 15)
    pdf.cell(WIDTH, 9, _("Contents"), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font(FONT, "", 10)
    for one in sections:
        link = pdf.add_link(page=one.page_number)
        pdf.cell(WIDTH, 6, f"{one.name}: {one.page_number}", link=link,
                 new_x=XPos.LMARGIN, new_y=YPos.NEXT)  # fmt: skip
