"""A case on paper: a paged PDF that says on every page who printed it and when. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from fpdf import FPDF

from messaging import wording
from messaging.pages.paper import BLACK, GREY, LINE, Paper
from messaging.pages.returning import STATES

Shown = dict[str, Any]


def printed(document: Shown) -> bytes:
    """Return a case as its reader was shown it, as a PDF of A4 pages."""
    paper = Paper(
        reference=document["reference"], status=document["status"],
        classification=document["classification"], printed_by=document["printed_by"],
        now=document["now"],
    )  # fmt: skip
    pack = _Pack(paper, document)
    pack.cover()
    for room in (
        pack.stands, pack.owed, pack.disputes, pack.child, pack.placement, pack.plan,
        pack.meetings, pack.actions, pack.interviews, pack.timeline, pack.leads, pack.files,
        pack.conversation,
    ):  # fmt: skip
        room()
    return bytes(paper.output())


class _Pack:
    def __init__(self, paper: Paper, document: Shown) -> None:
        self.p, self.v = paper, document

    def cover(self) -> None:
        """Print whose pack it is, how to handle it, and what it contains."""
        p, v = self.p, self.v
        p.add_page()
        p.heading(1, _("Handover pack"), size=24, follow=20)
        p.style(16, BLACK, "B")
        p.say(v["reference"], 16)
        p.y += 6
        p.pair(_("Status"), str(wording.STATUSES[v["status"]]))
        p.pair(_("Classification"), v["classification"])
        p.pair(_("Handling"), _(
            "For the purpose below alone. Keep it locked away; shred it."
            " It holds what the reader’s unit may see."
        ))  # fmt: skip
        if not v["full"]:
            p.pair(_("Its reader"), _("The reader’s unit sees a part of this case, and no more."))
        p.pair(_("Printed by"), v["printed_by"])
        p.pair(_("Printed at"), wording.moment(v["now"]))
        p.pair(_("Why"), v["purpose"])
        p.pair(_("Times"), _("All times are London’s: GMT in winter, BST in summer."))
        if v["full"]:
            p.pair(_("Case opened"), wording.moment(v["opened_at"]))
        if v["closed_at"]:
            p.pair(_("Case closed"), wording.moment(v["closed_at"]))
        p.y += 6
        p.contents_here(_contents)

    def stands(self) -> None:
        """Print who leads, the risk, what is open, and what was last given."""
        p, v = self.p, self.v
        self._section(_("Where it stands"))
        lead = v["lead"]
        if lead:
            p.pair(_("Who leads"), f"{lead['unit']}: {lead['officer']}")
            p.pair(_("Since"), f"{wording.moment(lead['since'])}. {lead['basis']}.")
        elif v["asked_only"]:
            p.pair(
                _("Who leads"), _("Not shown: your unit answers an enquiry here, and is no party.")
            )
        elif v["joined"]:
            p.pair(_("Who leads"), _("This case was joined to %(reference)s and goes on there.",
                                     reference=v["joined"]))  # fmt: skip
        else:
            p.pair(_("Who leads"), _("The case is closed. Nobody leads.") if v["closed_at"]
                   else _("Nobody leads"))  # fmt: skip
        if v["home_unit"]:
            p.pair(_("Home unit"), v["home_unit"])
        if v["ending"]:
            p.pair(_("The episode"), f"{v['ending']} {wording.moment(v['ended_at'])}.")
        elif v["located_at"]:
            p.pair(_("The episode"), _("The child is located. The episode ended %(at)s.",
                                       at=wording.moment(v["located_at"])))  # fmt: skip
        if lead and v["full"]:
            p.pair(_("Risk"), v["risk"] or _("not given"))
        if v["also_wanted"]:
            p.pair(_("Also wanted"), _("The child stays missing all the same, until somebody sees"
                                       " them, face to face."))  # fmt: skip
        if v["report"]:
            p.pair(_("The report"), f"{v['report']['name']}: {v['report']['unit']}")
        for one in v["contested"]:
            p.pair(_("Contested"), _("%(unit)s may have this child too, since %(at)s.",
                                     unit=one["unit"], at=wording.moment(one["since"])))  # fmt: skip
        for one in v["earlier"]:
            p.pair(_("Joined to this case"), one)
        if v["request"]:
            one = v["request"]
            due = wording.moment(one["due_at"]) if one["due_at"] else _("not told yet")
            p.pair(_("Open request"), _("%(name)s, from %(a)s to %(b)s: answer due %(at)s",
                   name=one["name"], a=one["from_unit"], b=one["to_unit"], at=due))  # fmt: skip
        for one in v["claims"]:
            p.pair(_("Located, not confirmed"), one["unit"])
        for one in v["questions"]:
            p.pair(_("Open question"), _("%(a)s asks %(b)s, needed by %(at)s (message %(number)s)",
                   a=one["asked_by"], b=one["to"], at=wording.moment(one["needed_by"]),
                   number=one["number"]))  # fmt: skip
        given = {label: (words, by) for label, words, by in v["given"]}
        for label in wording.TAKEN_OVER.values():
            words, by = given.get(str(label), (_none(), ""))
            p.pair(str(label), f"{words}\n{by}" if by else words)

    def owed(self) -> None:
        """Print every clock that runs, or is overdue."""
        p, v = self.p, self.v
        self._section(_("What is owed, and by when"))
        for one in v["owed"]:
            when = wording.moment(one["due_at"]) if one["due_at"] else _("not told yet")
            if one["missed"] or (one["due_at"] and one["due_at"] < v["now"]):
                when = _("%(at)s: overdue", at=when)
            p.pair(one["what"], f"{one['by']}\n{when}")
        self._or_none(v["owed"])

    def disputes(self) -> None:
        """Print the open dispute and direction, each with its reasons."""
        p, v = self.p, self.v
        self._section(_("Open disputes and directions"))
        if v["dispute"]:
            one = v["dispute"]
            p.pair(_("Dispute"), _("%(a)s disputes it with %(b)s", a=one["by"], b=one["other"]))
            self._reasons(v["dispute_rows"], one["number"])
        if v["direction"]:
            one = v["direction"]
            p.pair(_("Direction"), _("%(unit)s is directed to lead", unit=one["to"]))
            self._reasons(v["direction_rows"], one["number"])
        self._or_none(v["dispute"] or v["direction"])

    def _reasons(self, rows: list[Shown], number: int) -> None:
        """Print the words by which something was opened, or that they are for others."""
        if rows:
            self._rows(rows, number)
        else:
            self.p.pair("", _("Its reasons are for others (message %(number)s).", number=number))

    def child(self) -> None:
        """Print the child as last given."""
        self._section(_("The child, as given"))
        self._rows(self.v["child"])
        self._or_none(self.v["child"])

    def placement(self) -> None:
        """Print the placement, and the move from it that is told ahead."""
        p, v = self.p, self.v
        self._section(_("Placement"))
        for one in filter(None, (v["placement"], v["following"])):
            p.pair(_("State"), one["state"])
            p.pair(_("Where"), _("from %(home)s to %(destination)s", home=one["home"],
                                 destination=one["destination"]))  # fmt: skip
            p.pair(_("Since") if one["begun"] else _("From"), one["starts_on"])
            if one["ends_on"]:
                p.pair(_("Until"), one["ends_on"])
            if one["host"]:
                p.pair(_("Host authority"), one["host"])
            p.pair(_("Notice"), f"{one['lateness']} ({self._message(one['number'])})")
        self._or_none(v["placement"])

    def plan(self) -> None:
        """Print what was agreed, whether it is in force, and every version with its fate."""
        p, v = self.p, self.v
        self._section(_("Joint response plan"))
        for plan in filter(None, (v["plan"], v["following_plan"])):
            if plan is v["following_plan"]:
                p.pair("", _("For the move that is told ahead"))
            p.pair(_("State"), _("In force") if plan["in_force"] else plan["lapse"])
            p.pair(_("If the child goes missing, it names to lead"), plan["lead"])
            p.pair(_("Review date"), plan["review_on"])
            self._rows(plan["rows"], plan["number"])
        for one in v["versions"]:
            said = [_("%(state)s. Proposed by %(unit)s, to lead: %(lead)s, review on %(day)s.",
                      state=one["state"], unit=one["proposed_by"], lead=one["lead"],
                      day=one["review_on"])]  # fmt: skip
            if one["answered_at"]:
                at = wording.moment(one["answered_at"])
                parts = (_("Answered %(at)s", at=at), one["answered_by"])
                said.append(", ".join(part for part in parts if part))
            said.append(self._message(one["number"]))
            p.pair(_("Version %(number)s", number=one["version"]), "\n".join(said))
        self._or_none(v["versions"])

    def meetings(self) -> None:
        """Print each meeting: what for, who came, what was decided."""
        p, v = self.p, self.v
        self._section(_("Strategy meetings"))
        for n, one in enumerate(reversed(v["meetings"]), 1):
            title = _("Meeting %(number)s: %(state)s", number=n, state=one["state"])
            p.heading(2, title, size=11, follow=4 * LINE)
            p.pair(
                _("When"), f"{wording.moment(one['starts_at'])} – {wording.moment(one['ends_at'])}"
            )
            p.pair(_("Convened by"), one["convenor"])
            self._rows(v["invitations"].get(one["number"], []), one["number"])
            for chair in one["chairs"]:
                said = [_chair(reply) for reply in chair["replies"]] or [_("No reply")]
                p.pair(f"{chair['unit']} ({chair['role']})", "\n".join(said))
            if one["record_number"]:
                decided = v["records"].get(one["record_number"], [])
                self._rows(decided, one["record_number"])
                if not decided:
                    p.pair(_("What was decided"), _none())
            elif not one["cancelled"]:
                p.pair(_("What was decided"), _("The meeting is not recorded."))
        self._or_none(v["meetings"])

    def actions(self) -> None:
        """Print every action with its owner, its date and what came of it."""
        p, v = self.p, self.v
        self._section(_("Actions"))
        for one in v["every_action"]:
            owner = ", ".join(part for part in (one["owner"], one["owner_name"]) if part)
            if one["of_lead"]:
                owner = f"{owner} ({_('goes with the lead')})"
            state = str(one["state"])
            if one["answered_at"]:
                parts = (state, wording.moment(one["answered_at"]), one["answered_by"])
                state = ", ".join(part for part in parts if part)
            elif one["due_at"] < v["now"]:
                state = _("%(state)s, overdue", state=state)
            at = wording.moment(one["due_at"])
            due = _("Expires at %(at)s", at=at) if one["line"] else _("Due %(at)s", at=at)
            p.pair(state, "\n".join((one["what"], owner, due, self._message(one["number"]))))
        self._or_none(v["every_action"])

    def interviews(self) -> None:
        """Print what a return owes: each interview with its record, or the reason why not."""
        p, v = self.p, self.v
        self._section(_("Interviews, and the UK Missing Persons Unit"))
        for one in v["interviews"]:
            title = _("%(what)s, episode %(number)s", what=one["what"], number=one["episode"])
            p.heading(2, title, size=11, follow=3 * LINE)
            p.pair(_("Owed by"), one["owed_by"])
            state = str(STATES[one["state"]])
            if one["due_at"]:
                state = _("%(state)s. Due %(at)s", state=state, at=wording.moment(one["due_at"]))
            if one["state"] == "owed" and one["due_at"] and one["due_at"] < v["now"]:
                state = _("%(state)s: overdue", state=state)
            elif one["missed"] and one["state"] != "owed":
                state = _("%(state)s. It was not done in time.", state=state)
            p.pair(_("State"), state)
            self._rows(one["rows"], one["number"])
            if one["withheld"]:
                p.say(_("Part of this message is for others."), 9, GREY)
        self._or_none(v["interviews"])

    def timeline(self) -> None:
        """Print the picture, and the same as a table."""
        p, v = self.p, self.v
        if v["strips"]:
            p.room_for(v["strips"][0], 20)
        self._section(_("Timeline"))
        p.say(_("The times are exact; silence is drawn shorter than it was."), 9, GREY)
        p.y += 2
        for n, strip in enumerate(v["strips"], 1):
            p.strip(strip, _("Timeline, part %(part)s of %(all)s. The table says the same.",
                             part=n, all=len(v["strips"])))  # fmt: skip
        for row in v["table"]:
            when = wording.moment(row["since"])
            if row["until"]:
                when = _("%(since)s to %(until)s", since=when, until=wording.moment(row["until"]))
            elif row["lasts"]:
                when = _("%(since)s, and goes on", since=when) if not v["closed_at"] else when
            number = f" ({self._message(row['number'])})" if row["number"] else ""
            p.pair(when, f"{row['lane']}: {row['label']}{number}")
        self._or_none(v["table"])

    def leads(self) -> None:
        """Print who has led, and how the case went on."""
        p, v = self.p, self.v
        self._section(_("Who has led"))
        for row in v["tenures"]:
            ended = wording.moment(row["until"]) if row["until"] else _("leads now")
            since = wording.moment(row["since"])
            p.pair(_("%(since)s to %(until)s", since=since, until=ended) if row["until"]
                   else f"{since}: {ended}",
                   "\n".join((f"{row['unit']}. {row['basis']}.", *row["officers"])))  # fmt: skip
        self._or_none(v["tenures"])
        self._section(_("How the case went on"))
        for row in v["changes"]:
            what = f"{row['what']}, {row['who']} ({self._message(row['number'])})"
            p.pair(wording.moment(row["at"]), what)
        self._or_none(v["changes"])

    def files(self) -> None:
        """Print what is attached; the files themselves are on the hub."""
        p, v = self.p, self.v
        self._section(_("Attachments"))
        for one in v["files"]:
            p.pair(self._message(one["number"]), _file(one))
        if v["files"]:
            p.say(_("The files themselves are on the hub, and not in this pack."), 9, GREY)
        self._or_none(v["files"])

    def conversation(self) -> None:
        """Print every message that the reader may see something of, first to last."""
        p, v = self.p, self.v
        self._section(_("Conversation, first to last"))
        for message in reversed(v["messages"]):
            self._one(message)
        self._or_none(v["messages"])
        if p.unprintable:
            p.say(
                _("□ stands for a letter that this paper cannot show. The hub shows it."), 9, GREY
            )
        p.room(2 * LINE)
        p.y += 2
        p.say(_("End of the pack."), 9, GREY)

    def _one(self, message: Shown) -> None:
        p = self.p
        urgent = f" ({_('Urgent')})" if message["urgent"] else ""
        title = f"{message['number']}. {message['name']}{urgent}"
        p.heading(2, title, size=11, follow=4 * LINE)
        p.goes_on = _("%(title)s, continued", title=title)
        sent = f"{wording.moment(message['sent_at'])}, {message['sender']}"
        if message["in_reply_to"]:
            sent += ", " + _("in reply to %(number)s", number=message["in_reply_to"])
        p.say(sent, 9, GREY)
        p.y += 0.8
        self._rows(message["fields"])
        for file in message["files"]:
            p.pair(_("File"), _file(file))
        if message["withheld"]:
            p.say(_("Part of this message is for others."), 9, GREY)
        for to in message["recipients"]:
            facts = [_fact(one["name"], one["at"], one["who"]) for one in to["facts"]]
            if to["undelivered"]:
                facts.insert(0, _("not delivered, since it is not on the hub"))
            p.pair(_("To %(unit)s", unit=to["unit"]), "\n".join(facts))
        p.goes_on = ""
        p.y += 3

    def _section(self, name: str) -> None:
        self.p.goes_on = ""
        self.p.y += 4
        self.p.heading(1, name, size=15, follow=5 * LINE)
        self.p.y += 1

    def _rows(self, rows: Iterable[Shown], number: int | None = None) -> None:
        for row in rows:
            self.p.pair(str(row["label"]), str(row["value"]) or _("not given"))
        if number is not None:
            self.p.pair("", self._message(number))

    def _or_none(self, found: object) -> None:
        if not found:
            self.p.say(_none(), 9, GREY)

    def _message(self, number: int) -> str:
        return _("Message %(number)s", number=number)


def _none() -> str:
    return _("None on record that the reader’s unit may see.")


def _file(one: Shown) -> str:
    return ", ".join(str(one[part]) for part in ("name", "kind", "size", "scan"))


def _chair(reply: Shown) -> str:
    parts = (reply["person"], reply["attendance"], reply["attended"])
    said = ", ".join(str(part) for part in parts if part)
    return f"{said}, {wording.moment(reply['at'])}" if reply["at"] else said


def _fact(name: object, at: datetime | None, who: str) -> str:
    if at is None:
        return f"{name}: {_('not yet')}"
    return f"{name}: {wording.moment(at)}" + (f", {who}" if who else "")


def _contents(pdf: FPDF, sections: list[Any]) -> None:
    assert isinstance(pdf, Paper)  # noqa: S101  # it is ours
    pdf.contents(_("Contents"), [(one.name, one.page_number) for one in sections[1:]])
