"""People of three organisations in a case, and a clock that the test moves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.clock import utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity.actor import Actor
from hub.records.vault import Vault
from messaging import inbox, sending, shown, views, who_leads
from messaging.contracts import Command

MET, KENT, ISLINGTON = "metropolitan/central-north", "kent/east", "E09000019/childrens-social-care"
RECENTLY = (utcnow() - timedelta(hours=1)).isoformat()
REPORT = {
    "child": {"given_name": "EXERCISE child", "age": 14},
    "last_seen_at": "2026-11-24T01:00:00Z",
    "last_seen_place": "EXERCISE Road",
    "risk": "medium",
    "why": "EXERCISE",
    "callback_telephone": "020 7946 0001",
    "associates": "EXERCISE associates",
}
ACCEPT = {"named_officer": "EXERCISE Sergeant"}


class World:
    """A hub with some people in it, and a clock that the test moves."""

    def __init__(self, database: Database, vault: Vault, someone: Callable[..., Actor]) -> None:
        self.database, self.vault, self.someone = database, vault, someone
        self.met, self.kent = someone(MET), someone(KENT)
        self.social_worker = someone(ISLINGTON, "practitioner")
        self.stranger = someone("essex")
        self.now = utcnow()

    def open(self, actor: Actor, to: list[str] | None = None, **more: Any) -> sending.Sent:
        self.now += timedelta(seconds=1)
        command = Command(
            type="missing-episode-report", to=to or [], body={**REPORT, **more}, status="exercise"
        )
        with self.database.unit_of_work() as session:
            return sending.open_case(session, actor, self.vault, command, self.now)

    def send(self, actor: Actor, reference: str, kind: str, /, **more: Any) -> sending.Sent:
        self.now += timedelta(seconds=1)
        envelope = {
            k: more.pop(k)
            for k in ("to", "priority", "in_reply_to", "status", "purpose")
            if k in more
        }
        if kind == "information-request":
            envelope.setdefault("purpose", "EXERCISE purpose")
        if kind == "lead-transfer-request":
            envelope["callback_telephone"] = more.pop("callback_telephone", "020 7946 0001")
        command = Command(type=kind, body=more, **envelope)  # type: ignore[arg-type]
        with self.database.unit_of_work() as session:
            return sending.send(session, actor, self.vault, reference, command, self.now)

    def case(self, actor: Actor, reference: str) -> shown.CaseView:
        with self.database.unit_of_work() as session:
            return views.case_view(
                session, actor, self.vault, reference, self.now, reason_code="test"
            )

    def inbox(self, actor: Actor) -> list[inbox.InboxRow]:
        with self.database.unit_of_work() as session:
            return inbox.inbox(session, actor, now=self.now)

    def lead(self, reference: str) -> str:
        with self.database.unit_of_work() as session:
            return who_leads.lead_view(session, self.met, reference, self.now)["lead"]["code"]


def refused(code: str, act: Callable[[], Any]) -> HubError:
    with pytest.raises(HubError) as caught:
        act()
    assert caught.value.code == code, caught.value.code
    return caught.value
