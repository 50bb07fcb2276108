"""What each type of message does to its case: one function a type, on an Act.

Each asks the pure rules first (lead.py, reporting.py), then says what is written; `Refused`
becomes the reader's 409.
"""

from collections.abc import Callable
from typing import Any

from messaging.effects import (
    closing,
    disputes,
    enquiries,
    handover,
    locating,
    news,
    offers,
    reports,
    telephone,
)
from messaging.sending import Act

EFFECTS: dict[str, Callable[[Act], Any]] = {
    "missing-episode-report": reports.missing_episode_report,
    "telephone-record": telephone.telephone_record,
    "report-not-accepted": reports.report_not_accepted,
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
    "closure": closing.closure,
}
