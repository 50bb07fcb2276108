"""How a practitioner's report goes on until police settle it: pure, from DOMAIN.md 4.2."""

from typing import Literal

State = Literal[
    "awaiting-police",
    "recorded",
    "recorded-by-telephone",
    "not-accepted",
    "returned-before-recorded",
]
Event = Literal[
    "recorded", "taken", "refused", "told-to-wait", "not-accepted", "readdressed",
    "new-information", "returned",
]  # fmt: skip

SETTLED: frozenset[State] = frozenset({"recorded", "returned-before-recorded"})

WAYS: dict[tuple[State, Event], State] = {
    ("awaiting-police", "recorded"): "recorded",
    ("awaiting-police", "taken"): "recorded-by-telephone",
    ("awaiting-police", "refused"): "not-accepted",
    ("awaiting-police", "told-to-wait"): "awaiting-police",
    ("awaiting-police", "not-accepted"): "not-accepted",
    ("awaiting-police", "readdressed"): "awaiting-police",
    ("awaiting-police", "new-information"): "awaiting-police",
    ("awaiting-police", "returned"): "returned-before-recorded",
    ("recorded-by-telephone", "recorded"): "recorded",
    ("recorded-by-telephone", "refused"): "not-accepted",
    ("recorded-by-telephone", "taken"): "recorded-by-telephone",
    ("recorded-by-telephone", "told-to-wait"): "recorded-by-telephone",
    ("recorded-by-telephone", "not-accepted"): "not-accepted",
    ("recorded-by-telephone", "new-information"): "recorded-by-telephone",
    ("recorded-by-telephone", "returned"): "returned-before-recorded",
    ("not-accepted", "recorded"): "recorded",
    ("not-accepted", "taken"): "recorded-by-telephone",
    ("not-accepted", "refused"): "not-accepted",
    ("not-accepted", "told-to-wait"): "not-accepted",
    ("not-accepted", "not-accepted"): "not-accepted",
    ("not-accepted", "readdressed"): "awaiting-police",
    ("not-accepted", "new-information"): "awaiting-police",
    ("not-accepted", "returned"): "returned-before-recorded",
}


def after(state: State, event: Event) -> State | None:
    """Return the report's state after an event, or None where the event is not possible."""
    return WAYS.get((state, event))
