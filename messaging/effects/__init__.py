"""What each type of message does to its case: one function a type, on an Act.

Each asks the pure rules first (lead.py, reporting.py), then says what is written; `Refused`
becomes the reader's 409. A room also says what may be sent now, and what a form is filled in with.
"""

from collections.abc import Callable
from typing import Any

from messaging.act import Act
from messaging.choices import Choices, Choosing, Knowing
from messaging.effects import (
    closing,
    disputes,
    enquiries,
    handover,
    joining,
    locating,
    meeting_records,
    meetings,
    news,
    offers,
    placing,
    planning,
    reports,
    returning,
    telephone,
)

EFFECTS: dict[str, Callable[[Act], Any]] = {
    "missing-episode-report": reports.missing_episode_report,
    "telephone-record": telephone.telephone_record,
    "report-not-accepted": reports.report_not_accepted,
    "supervisor-request": reports.supervisor_request,
    "lead-transfer-request": offers.lead_transfer_request,
    "lead-transfer-accept": offers.lead_transfer_accept,
    "lead-transfer-decline": offers.lead_transfer_decline,
    "lead-transfer-withdraw": offers.lead_transfer_withdraw,
    "holding-reply": offers.holding_reply,
    "dispute": disputes.dispute,
    "dispute-withdraw": disputes.dispute_withdraw,
    "direction": disputes.direction,
    "direction-acknowledge": disputes.direction_acknowledge,
    "officer-handover": handover.officer_handover,
    "information-request": enquiries.information_request,
    "information-response": enquiries.information_response,
    "update": news.update_case,
    "located": locating.located,
    "located-confirm": locating.located_confirm,
    "located-refuse": locating.located_refuse,
    "strategy-meeting-invitation": meetings.invitation,
    "strategy-meeting-reply": meeting_records.reply,
    "strategy-meeting-record": meeting_records.record,
    "recorded-in-error": closing.recorded_in_error,
    "interview-record": returning.interview_record,
    "authority-named": returning.authority_named,
    "admit-recording": joining.admit_recording,
    "not-same-child": joining.not_same_child,
    "closure": closing.closure,
    "reopen": closing.reopen,
    "placement-notification": placing.placement_notification,
    "joint-response-plan": planning.joint_response_plan,
    "plan-reply": planning.plan_reply,
}

CHOICES: tuple[Callable[[Choosing], Choices], ...] = (
    reports.choices,
    offers.choices,
    locating.choices,
    joining.choices,
    disputes.choices,
    handover.choices,
    telephone.choices,
    enquiries.choices,
    meetings.choices,
    planning.choices,
    placing.choices,
    news.choices,
    returning.choices,
    closing.choices,
)
"""What a reader may send now, in the order of the buttons."""

KNOWN: dict[str, Callable[[Knowing], dict[str, Any]]] = {
    "missing-episode-report": reports.known_report,
    "telephone-record": telephone.known_call,
    "lead-transfer-request": offers.known_request,
    "lead-transfer-accept": offers.known_officer,
    "direction-acknowledge": offers.known_officer,
    "officer-handover": handover.known_handover,
    "located": locating.known_located,
    "strategy-meeting-invitation": meetings.known_invitation,
    "strategy-meeting-reply": meeting_records.known_reply,
    "strategy-meeting-record": meeting_records.known_record,
    "interview-record": returning.known_interview,
    "admit-recording": joining.known_admission,
    "closure": closing.known_closure,
    "placement-notification": placing.known_placement,
    "joint-response-plan": planning.known_plan,
    "plan-reply": planning.known_reply,
}
"""What a form of a type is filled in with; those of other types begin empty."""
