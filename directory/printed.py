"""The directory on paper, for the duty room's wall: a paged PDF with contents and an index. Pure."""

import logging
from collections.abc import Mapping
from importlib.resources import as_file, files
from itertools import groupby
from math import ceil
from uuid import UUID

from flask_babel import gettext as _
from fpdf import FPDF, ViewerPreferences
from fpdf.enums import XPos, YPos
from fpdf.outline import OutlineSection

from directory.downloads import Entry, Extract, UnitEntry
from directory.public import PURPOSES
from directory.saved_copy import hours_in_words
from directory.snapshot import Area, Contact, Organisation, Unit
from directory.vcards import trust
from hub.clock import LONDON

FONT = "hub"
WIDTH = 180.0
VALUE_WIDTH = 58.0
LINE = 4.6
CONTENTS_LINE = 6.0
CONTENTS_LINES = 38
INDEX_LINE = 5.2
IndexLine = tuple[str, list[tuple[str, int | None]]]
"""A name in the index, and who answers for it, each with the page that it is on."""
BLUE, BLACK, GREY, RED = (29, 63, 114), (11, 12, 12), (80, 90, 95), (212, 53, 28)

logging.getLogger("fontTools").setLevel(logging.WARNING)


def printed(extract: Extract) -> bytes:
    """Return an extract as a PDF of A4 pages, the date on every one."""
    paper = _Paper(extract)
    paper.title_page()
    if len(extract.entries) > 1 or len(extract.entries[0].units) > 1:
        paper.contents()
    for entry in extract.entries:
        paper.entry(entry)
    if extract.areas:
        paper.index()
    return bytes(paper.output())


class _Paper(FPDF):
    """One document in the making; `places` says on which page an organisation or unit is."""

    def __init__(self, extract: Extract) -> None:
        super().__init__()
        self.extract = extract
        self.places: dict[UUID, int] = {}
        self.running = ""
        local = extract.at.astimezone(LONDON)
        self.date = f"{local.day} {local:%B %Y}"
        self.moment = f"{local:%H:%M} {local.tzname()}, {self.date}"
        self.exercise = extract.reader.status == "exercise"
        fonts = files("hub.web").joinpath("static/build/fonts")
        for style, name in (("", "regular.ttf"), ("B", "bold.ttf")):
            with as_file(fonts / name) as path:
                self.add_font(FONT, style, path)
        self.set_font(FONT, "", 10)
        self.set_lang("en-GB")
        self.set_title(self._title())
        self.set_author("Missing Children Hub")
        self.set_creation_date(extract.at)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_margins(15, 22, 15)
        self.set_auto_page_break(True, 20)
        self.alias_nb_pages()

    def header(self) -> None:
        """Print whose page it is, the date, and that it is an exercise."""
        self.set_y(9)
        self._style(9, GREY)
        self.cell(WIDTH / 2, LINE, self.running or self.extract.title)
        self.cell(WIDTH / 2, LINE, _("As of %(at)s", at=self.date), align="R")
        if self.exercise:
            self.set_xy(15, 14)
            self._style(10, RED, "B")
            self.cell(
                WIDTH, LINE, _("EXERCISE EXERCISE EXERCISE: never for an actual case"), align="C"
            )
        self.set_xy(15, 22)

    def footer(self) -> None:
        """Print what it is, whom it is for, and the page's number."""
        self.set_y(-15)
        self._style(8, GREY)
        self.cell(WIDTH - 30, LINE, f"{_('Missing Children Hub')}. {self._for()}")
        self.cell(
            30, LINE, _("Page %(page)s of %(all)s", page=self.page_no(), all="{nb}"), align="R"
        )

    def title_page(self) -> None:
        """Print what this is, how old it may be, and what to do in an emergency."""
        self.add_page()
        self._style(24, BLUE, "B")
        self._lines(self.extract.title, 11)
        self._style(14, BLACK)
        self._lines(_("Directory of missing-children teams, as of %(at)s", at=self.moment), 7)
        self.ln(4)
        self._style(12, BLACK, "B")
        self._lines(_("If a child is at immediate risk of harm, ring 999."), 6)
        self._style(10, BLACK)
        for sentence in (
            _("101 and 999 connect you to the police where you are: say where the child is."),
            _("This is a copy on paper. Numbers change: print it anew every month, and ask the hub"
              " where you can. What is unverified or overdue says so beside it."),
            self._for(),
            _("Put no details of a child in an e-mail."),
        ):  # fmt: skip
            self._lines(sentence, 5)
            self.ln(1)

    def contents(self) -> None:
        """Leave the pages that the contents will take, and fill them at the end."""
        several = len(self.extract.entries) > 1
        lines = len(self.extract.entries) if several else len(self._shown(self.extract.entries[0]))
        lines += 1 if self.extract.areas else 0
        self.add_page()
        self.insert_toc_placeholder(_contents, pages=max(1, ceil((lines + 2) / CONTENTS_LINES)))

    def entry(self, entry: Entry) -> None:
        """Print an organisation, its units and their contacts."""
        organisation = entry.organisation
        self.running = organisation.name
        if self.page_no() == 1 and len(self.extract.entries) == 1:
            self.ln(6)
        self._room(34)
        self.places[organisation.id] = self.page_no()
        if len(self.extract.entries) > 1:
            self.start_section(organisation.name)
        self._style(16, BLUE, "B")
        self._lines(organisation.name, 8)
        self._style(9, GREY)
        told = [one for one in (organisation.name_welsh, organisation.website) if one]
        if told:
            self._lines(", ".join(told), LINE)
        for one in self._shown(entry):
            self._unit(one, alone=one.unit.name == organisation.name)
        if not entry.contacts:
            self._style(10, BLACK)
            self._lines(
                _("No contact that you may see is on record. Ring 101, or 999 in an emergency."), 5
            )
        self.ln(5)

    def _shown(self, entry: Entry) -> list[UnitEntry]:
        """Return the units that have something to tell: a contact, or districts of their own."""
        return [one for one in entry.units if one.contacts or one.unit.kind == "bcu"]

    def _unit(self, one: UnitEntry, *, alone: bool) -> None:
        self._room(26 if one.contacts else 14)
        self.places[one.unit.id] = self.page_no()
        if not alone:
            self.ln(2)
            if len(self.extract.entries) == 1:
                self.start_section(one.unit.name)
            self._style(12, BLACK, "B")
            told = one.unit.kind_label.lower() in one.unit.name.lower()
            label = "" if told else f" ({one.unit.kind_label})"
            self._lines(f"{one.unit.name}{label}", 6)
            if one.unit.name_welsh:
                self._style(9, GREY)
                self._lines(one.unit.name_welsh, LINE)
        if one.covers and one.unit.kind == "bcu":
            self._style(9, GREY)
            self._lines(_("Covers %(areas)s.", areas=", ".join(a.name for a in one.covers)), LINE)
        for contact in one.contacts:
            self._contact(contact)
        if not one.contacts:
            self._style(9, BLACK)
            self._lines(_("No contact of its own that you may see is on record."), LINE)

    def _contact(self, contact: Contact) -> None:
        heading = PURPOSES.get(contact.purpose, contact.purpose)
        if contact.channel == "text":
            heading = f"{heading} ({_('text message')})"
        if contact.status == "exercise":
            heading = f"{_('EXERCISE')}: {heading}"
        today = self.extract.at.astimezone(LONDON).date()
        hours = hours_in_words(contact.hours, today)
        rest = f"{_('Open %(hours)s', hours=hours)}. {trust(contact, self.extract.at)}"
        if contact.note:
            rest = f"{rest} {contact.note}{'' if contact.note.endswith('.') else '.'}"
        if contact.audience != "public":
            only = {"professional": _("Professionals only."), "police": _("Police only.")}
            rest = f"{rest} {only[contact.audience]}"
        width = WIDTH - VALUE_WIDTH - 2
        size = self._fitting(contact.value)
        left = self._split(contact.value, VALUE_WIDTH)
        self._style(9, BLACK)
        right = self._split(rest, width)
        height = max(len(left) * 5.2, LINE * (1 + len(right))) + 2
        self._room(height)
        top = self.get_y() + 1
        self.set_draw_color(190, 190, 190)
        self.line(15, top - 0.5, 15 + WIDTH, top - 0.5)
        self.set_xy(15, top)
        self._style(size, BLACK, "B")
        self._lines("\n".join(left), 5.2, VALUE_WIDTH)
        self.set_xy(15 + VALUE_WIDTH + 2, top)
        self._style(10, BLACK, "B")
        self.cell(width, LINE, heading)
        self.set_xy(15 + VALUE_WIDTH + 2, top + LINE)
        self._style(9, BLACK)
        self._lines("\n".join(right), LINE, width)
        self.set_xy(15, top + height)

    def index(self) -> None:
        """Print which police and council answer for each district, and on which page they are."""
        self.running = _("Index by council")
        self.add_page()
        self.start_section(_("Index by council"))
        self._style(16, BLUE, "B")
        self._lines(_("Index by council"), 9)
        units = {
            area.id: one.unit
            for entry in self.extract.entries
            for one in entry.units
            if one.unit.kind == "bcu"
            for area in one.covers
        }
        known = {one.organisation.id: one.organisation for one in self.extract.entries}
        lines = [self._of_district(area, units, known) for area in self.extract.areas]
        lines += self._of_counties(known)
        for letter, found in groupby(sorted(lines), key=lambda line: line[0][0]):
            self._room(3 * INDEX_LINE)
            self._style(11, BLUE, "B")
            self._lines(letter, 6)
            for name, where in found:
                self._index_line(name, where)

    def _of_district(
        self, area: Area, units: Mapping[UUID, Unit], known: Mapping[UUID, Organisation]
    ) -> IndexLine:
        named = [one for one in (units.get(area.id), known.get(area.force_id)) if one]
        where = [(one.name, self.places.get(one.id)) for one in named]
        council = known.get(area.csa_id) if area.csa_id else None
        if council is not None:
            where.append((_("children’s services"), self.places.get(council.id)))
        welsh = area.name_welsh if area.name_welsh != area.name else None
        return (f"{area.name} ({welsh})" if welsh else area.name), where

    def _of_counties(self, known: Mapping[UUID, Organisation]) -> list[IndexLine]:
        """Return the councils of several districts, which no district is named after."""
        districts = {area.name for area in self.extract.areas}
        lines: list[IndexLine] = []
        for council, name in self.extract.councils.items():
            if name in districts:
                continue
            forces = dict.fromkeys(
                area.force_id for area in self.extract.areas if area.csa_id == council
            )
            named = [known[one] for one in (*forces, council) if one in known]
            lines.append((name, [(one.name, self.places.get(one.id)) for one in named]))
        return lines

    def _index_line(self, name: str, where: list[tuple[str, int | None]]) -> None:
        self._style(9, BLACK)
        told = ", ".join(f"{one} {page}" if page else one for one, page in where)
        right = self._split(told, WIDTH - 82)
        self._room(len(right) * LINE + 0.6)
        top = self.get_y()
        self.cell(80, LINE, name)
        self.set_xy(97, top)
        self._lines("\n".join(right), LINE, WIDTH - 82)
        self.set_xy(15, top + len(right) * LINE + 0.6)

    def _title(self) -> str:
        mark = f"{_('EXERCISE')}: " if self.exercise else ""
        return f"{mark}{self.extract.title}, {self.date}"

    def _for(self) -> str:
        return {
            "public": _("Public contacts only: sign in to print those for professionals."),
            "professional": _("For professionals: do not hang it where the public can read it."),
            "police": _("For police: do not hang it where others can read it."),
        }[self.extract.audience]

    def _fitting(self, value: str) -> float:
        """Set the largest type in which a value keeps to one line, and return its size."""
        size = 11.0
        self._style(size, BLACK, "B")
        while size > 7 and self.get_string_width(value) > VALUE_WIDTH - 2:
            size -= 0.5
            self._style(size, BLACK, "B")
        return size

    def _style(self, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)

    def _lines(self, text: str, height: float, width: float = WIDTH) -> None:
        self.multi_cell(width, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _split(self, text: str, width: float) -> list[str]:
        found = self.multi_cell(width, LINE, text, align="L", dry_run=True, output="LINES")
        assert isinstance(found, list)  # noqa: S101  # what `output` asks for
        return [str(one) for one in found]

    def _room(self, height: float) -> None:
        if self.will_page_break(height):
            self.add_page()


def _contents(pdf: FPDF, sections: list[OutlineSection]) -> None:
    """Print the contents on the pages that were left for them, each line a link."""
    pdf.set_x(pdf.l_margin)
    pdf.set_font(FONT, "B", 16)
    pdf.set_text_color(*BLUE)
    pdf.cell(WIDTH, 9, _("Contents"), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.set_font(FONT, "", 10)
    pdf.set_text_color(*BLACK)
    for section in sections:
        link = pdf.add_link(page=section.page_number)
        pdf.cell(WIDTH - 15, CONTENTS_LINE, section.name, link=link)
        pdf.cell(
            15, CONTENTS_LINE, str(section.page_number), align="R", link=link,
            new_x=XPos.LMARGIN, new_y=YPos.NEXT,
        )  # fmt: skip
