"""Meetings by API: called by a message, read without content, and taken into a calendar."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from icalendar import Calendar

from hub.clock import utcnow
from tests.api.conftest import Partner
from tests.api.test_cases import KENT, MET, OFFER, REPORT


def _invitation(**more: Any) -> dict[str, Any]:
    body = {
        "section_47": False, "starts_at": (utcnow() + timedelta(hours=30)).isoformat(),
        "held_at": "EXERCISE room", "meeting_purpose": "EXERCISE purpose", "convenor": "EXERCISE",
        "convenor_telephone": "020 7946 0001",
        "attendees": [{"role": "destination-police", "unit": KENT}], **more,
    }  # fmt: skip
    return {"type": "strategy-meeting-invitation", "body": body}


def test_a_meeting_is_called_and_answered_by_systems(partner: Callable[..., Partner]) -> None:
    met, kent, stranger = partner(MET), partner(KENT), partner("essex")
    ref = met.post("/api/v1/cases", REPORT).json["case_reference"]
    met.post(f"/api/v1/cases/{ref}/messages", OFFER)
    messages, meetings = f"/api/v1/cases/{ref}/messages", f"/api/v1/cases/{ref}/meetings"
    wrong = met.post(messages, _invitation(attendees=[{"role": "police"}, {"role": "education"}]))
    assert wrong.status_code == 422
    assert wrong.json["errors"][0]["pointer"] == "/body/attendees/0/role"
    unnamed = met.post(messages, _invitation(attendees=[{"role": "education"}]))
    assert unnamed.json["errors"][0]["pointer"] == "/body/attendees/0/unit"
    called = met.post(messages, _invitation())
    assert called.status_code == 201, called.text
    (seen,) = kent.get(meetings).json["meetings"]
    assert seen["waiting"] == [KENT]
    assert seen["empty_chairs"] == ["home-police", "destination-police"]
    assert "EXERCISE room" not in kent.get(meetings).text
    reply = {
        "type": "strategy-meeting-reply", "in_reply_to": called.json["message_id"],
        "body": {"attendance": "attending", "person": "EXERCISE Sergeant"},
    }  # fmt: skip
    assert kent.post(messages, reply).status_code == 201
    (seen,) = met.get(meetings).json["meetings"]
    assert seen["empty_chairs"] == ["home-police"]
    address = f"{meetings}/{seen['meeting_id']}/calendar"
    given = kent.get(address)
    assert given.mimetype == "text/calendar"
    (event,) = Calendar.from_ical(given.text).walk("VEVENT")
    assert str(event["summary"]) == f"EXERCISE {ref}: strategy meeting"
    for path in (meetings, address):
        assert stranger.get(path).status_code == 404
    assert kent.get(f"{meetings}/nonsense/calendar").status_code == 404
