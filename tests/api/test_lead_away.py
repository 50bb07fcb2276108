"""A unit that is not on the hub comes to lead: each further act of its is by a fresh link (4.5)."""

import html
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.identity.reach import reach
from hub.organisations import find_unit
from hub.records.keys import Keys
from hub.records.vault import Vault
from messaging import guest_secrets, sending
from messaging.contracts import Command
from messaging.guest_model import GuestLink
from seed import cast, demo
from tests.api.test_report_pages import Hub, token, words
from tests.worlds import KENT, REPORT

pytestmark = pytest.mark.exercise
DEVON = "devon-and-cornwall"
WHO = {"name": "EXERCISE Tremayne", "rank": "Inspector", "collar_number": "4471"}
OFFER = {"rationale": "majority-of-enquiries", "circumstances": "EXERCISE seen in Plymouth"}


class Away(Hub):
    """A case that Devon and Cornwall leads, which has no accounts."""

    def link(self) -> tuple[str, str]:
        """Return the address of the newest link and its code, as mailed and as read out."""
        with self.database.unit_of_work() as session:
            newest = session.scalars(select(GuestLink.id).order_by(GuestLink.created_at)).all()[-1]
        return f"/answer/{guest_secrets.token(self.keys, newest)}", guest_secrets.code(
            self.keys, newest
        )

    def press(self, player: cast.Player, path: str) -> Any:
        client = self.client(player)
        page = client.get(f"/cases/{self.reference}")
        return client.post(f"/cases/{self.reference}{path}", data={"csrf_token": token(page)})

    def open(self) -> tuple[Any, str, dict[str, str]]:
        """Open the newest link as the guest; return the client, the page and what its forms carry."""
        address, code = self.link()
        client = self.app.test_client()
        page = client.get(address)
        shown = client.post(address, data={"csrf_token": token(page), "code": code, **WHO})
        assert shown.status_code == 200, shown.text
        pass_ = re.search(r'name="pass" value="([^"]+)"', shown.text)
        assert pass_ is not None
        return client, shown.text, {"csrf_token": token(shown), "pass": html.unescape(pass_[1])}

    def act(self, answer: str, **fields: str) -> Any:
        client, _, carried = self.open()
        address, _ = self.link()
        return client.post(f"{address}/answer", data={**carried, "answer": answer, **fields})

    def lead(self) -> tuple[str, str]:
        with self.database.unit_of_work() as session:
            row = session.execute(
                text("""SELECT u.code, t.officer_name FROM tenure t JOIN unit u ON u.id = t.unit_id
                    JOIN episode e ON e.id = t.episode_id JOIN cases c ON c.id = e.case_id
                    WHERE c.reference = :ref AND t.until IS NULL AND e.ended_at IS NULL"""),
                {"ref": self.reference},
            ).one()
            return row.code, row.officer_name


@pytest.fixture
def away(app: Flask, database: Database, keys: Keys) -> Away:
    hub = Away(app, database, keys)
    hub.send(cast.MET_OFFICER, "missing-episode-report", **REPORT)
    command = Command(
        type="lead-transfer-request", to=[DEVON], callback_telephone="020 7946 0001", body=OFFER
    )
    with database.unit_of_work() as session:
        actor = demo.actor_of(session, cast.MET_OFFICER)
        sending.send(session, actor, Vault(keys), hub.reference, command, utcnow())
    hub.press(cast.MET_OFFICER, f"/guest-link/2?unit={DEVON}")
    done = hub.act("lead-transfer-accept", named_officer=WHO["name"])
    assert done.status_code == 200, done.text
    assert hub.lead() == (DEVON, WHO["name"])
    return hub


def test_who_led_before_sends_the_lead_a_link_for_each_further_act(away: Away) -> None:
    box = away.page(cast.MET_OFFICER)
    assert "It leads and is not on the hub, so its clocks ring you." in box
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    assert "Read this code out on the telephone" in away.page(cast.MET_OFFICER)
    _, page, _ = away.open()
    assert "Police leads: what do you do next?" in words(page)
    for act in ("Hand over to another officer", "Send an update", "Say that the child is located",
                "Offer the lead to another unit"):  # fmt: skip
        assert act in page
    assert "Officer who takes over" in away.act("officer-handover", choose="yes").text
    assert "Accept the lead now" not in page
    done = away.act("officer-handover", to_officer="EXERCISE Sergeant Pascoe")
    assert "ask the unit that rang you for a fresh link" in done.text
    assert away.lead() == (DEVON, "EXERCISE Sergeant Pascoe")
    again = away.app.test_client().get(away.link()[0])
    assert (again.status_code, "has been used" in again.text) == (410, True)
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    assert away.act("update", heading="action", text="EXERCISE harbour searched").status_code == 200
    assert "EXERCISE harbour searched" in away.page(cast.MET_OFFICER)


def test_the_lead_goes_back_by_an_offer_of_who_is_away_and_a_link_ends_with_its_lead(
    away: Away,
) -> None:
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    silent = away.act("lead-transfer-request", priority="urgent", **OFFER)
    assert silent.status_code == 422
    assert "Number to call you back" in silent.text
    offered = away.act("lead-transfer-request", priority="urgent", to=met(away),
                       callback_telephone="01632 960100", **OFFER)  # fmt: skip
    assert offered.status_code == 200, offered.text
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    assert "Open request" in away.page(cast.MET_OFFICER)
    chosen = away.act("lead-transfer-withdraw", choose="yes")
    assert "Withdraw the offer" in chosen.text
    assert away.act("lead-transfer-withdraw", reason="EXERCISE").status_code == 200
    assert "Open request" not in away.page(cast.MET_OFFICER)
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    _, page, _ = away.open()
    assert "Withdraw the offer" not in page, "none stands"
    for _time in range(2):  # the second withdraws the first in the same act
        offered = away.act("lead-transfer-request", priority="urgent", to=met(away),
                           callback_telephone="01632 960100", **OFFER)  # fmt: skip
        assert offered.status_code == 200, words(offered.text)
        away.press(cast.MET_OFFICER, "/guest-link/lead")
    left, _ = away.link()
    away.send(cast.MET_OFFICER, "lead-transfer-accept", named_officer="EXERCISE Sergeant")
    assert away.lead()[1] == "EXERCISE Sergeant"
    over = away.app.test_client().get(left)
    assert over.status_code == 410
    assert "Your unit does not lead here any more" in over.text
    assert away.press(cast.MET_OFFICER, "/guest-link/lead").status_code == 404


def test_the_child_is_located_by_a_link_of_who_leads(away: Away) -> None:
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    now = utcnow().astimezone(LONDON)
    moment = {"located_at-date": f"{now:%Y-%m-%d}", "located_at-time": "00:00"}
    done = away.act("located", how="police", seen_by="EXERCISE PC", place="EXERCISE quay", **moment)
    assert done.status_code == 200, words(done.text)
    assert "owes the prevention interview within 24 hours" in words(done.text)
    assert "The child is located" in away.page(cast.MET_OFFICER)


def test_a_link_takes_no_act_that_it_was_not_sent_for(away: Away) -> None:
    away.press(cast.MET_OFFICER, "/guest-link/lead")
    refused = away.act("lead-transfer-decline", reason="wrong-area")
    assert (refused.status_code, "does not take that" in refused.text) == (409, True)
    assert away.act("closure", outcome="EXERCISE").status_code == 422
    assert away.lead()[0] == DEVON


def test_who_rings_the_lead_is_told_to_ring_it_about_what_is_urgent(away: Away) -> None:
    raised = {"heading": "risk-change", "text": "EXERCISE", "new_risk": "high"}
    away.send(cast.MET_OFFICER, "update", priority="urgent", **raised)
    box = away.page(cast.MET_OFFICER)
    assert "nothing is delivered to it until it has been told" in box
    assert "What it does as the lead" in box
    assert box.count("Ring Devon") == 1


def test_where_who_led_before_is_away_too_the_one_before_rings(away: Away) -> None:
    north = "northumbria"
    with away.database.unit_of_work() as session:
        unit = find_unit(session, north)
        assert unit is not None
        assert reach(session, unit.id, "exercise", utcnow()) == "not-on-hub"
    away.send(cast.MET_OFFICER, "dispute", grounds="EXERCISE")
    away.send(cast.COORDINATOR, "direction", lead=north, reasons="EXERCISE")
    told = {
        "named_officer": "EXERCISE Sergeant Reed",
        "told_by_telephone": "EXERCISE, 01632 960001",
    }
    away.send(cast.COORDINATOR, "direction-acknowledge", **told)
    assert away.lead() == (north, "EXERCISE Sergeant Reed")
    assert "its clocks ring you" in away.page(cast.MET_OFFICER)
    no_mailbox = away.press(cast.MET_OFFICER, "/guest-link/lead")
    assert no_mailbox.status_code == 409
    assert "No mailbox of this unit has been verified" in no_mailbox.text


def test_nobody_but_who_rings_the_lead_sends_it_a_link(away: Away) -> None:
    away.send(cast.MET_OFFICER, "update", (KENT,), heading="action", text="EXERCISE")
    assert away.press(cast.KENT_OFFICER, "/guest-link/lead").status_code == 404
    assert "its clocks ring you" not in away.page(cast.KENT_OFFICER)
    with away.database.unit_of_work() as session:
        assert len(session.scalars(select(GuestLink.id)).all()) == 1, "that by which it leads"


def test_whoever_reported_rings_a_lead_that_is_away_where_nobody_led_before(
    app: Flask, database: Database, keys: Keys
) -> None:
    hub = Away(app, database, keys)
    told = {name: value for name, value in REPORT.items() if name != "associates"}
    hub.send(cast.SOCIAL_WORKER, "missing-episode-report", (DEVON,), **told)
    hub.press(cast.SOCIAL_WORKER, f"/guest-link/1?unit={DEVON}")
    client, page, carried = hub.open()
    typed = dict(re.findall(r'name="([\w.-]+)"[^>]*value="([^"]*)"', page))
    typed.pop("more_rows", None)
    recorded = client.post(f"{hub.link()[0]}/answer", data={
        **typed, **carried, "answer": "missing-episode-report", "risk": "high",
        "why": "EXERCISE", "callback_telephone": "01632 960100",
    })  # fmt: skip
    assert recorded.status_code == 200, words(recorded.text)
    assert hub.lead() == (DEVON, WHO["name"])
    assert "its clocks ring you" in hub.page(cast.SOCIAL_WORKER)
    hub.press(cast.SOCIAL_WORKER, "/guest-link/lead")
    hub.act("officer-handover", to_officer="EXERCISE Sergeant Pascoe")
    assert hub.lead()[1] == "EXERCISE Sergeant Pascoe"
    hub.press(cast.SOCIAL_WORKER, "/guest-link/lead")
    assert "Offer the lead to another unit" not in hub.open()[1], (
        "no police of the case to offer it to"
    )


def met(hub: Away) -> str:
    with hub.database.unit_of_work() as session:
        return str(demo.actor_of(session, cast.MET_OFFICER).unit_id)
