"""The code lists, as data with a version and the day from which it counts (DOMAIN.md 7)."""

from dataclasses import dataclass
from datetime import date

VERSION = "1"
"""Carried by every message as its schema_version."""

RISKS = {
    "high": "High: serious harm very likely",
    "medium": "Medium: harm likely, but not serious",
    "low": "Low: harm possible, but minimal",
    "no-apparent-risk": "No apparent risk",
}


@dataclass(frozen=True)
class Edition:
    """One edition of a code list, in force from a day (Europe/London) on."""

    version: str
    valid_from: date
    codes: dict[str, str]


RISK_EDITIONS = (Edition("1", date(2023, 1, 1), RISKS),)
"""The APP's wording was revised in 2026 (unverified): a new edition is added here, none changed."""


def risk_list(on: date) -> str:
    """Return the version of the list of risks that was in force on a day (Europe/London)."""
    return max(
        (one for one in RISK_EDITIONS if one.valid_from <= on), key=lambda one: one.valid_from
    ).version


BIRTH_DATES = {
    "exact": "Exact",
    "month-and-year": "Month and year are known",
    "year": "The year is known",
    "estimated": "Estimated",
}
ETHNICITIES = {
    "W1": "White: English, Welsh, Scottish, Northern Irish or British",
    "W2": "White: Irish",
    "W3": "White: Gypsy or Irish Traveller",
    "W9": "White: any other background",
    "M1": "Mixed: White and Black Caribbean",
    "M2": "Mixed: White and Black African",
    "M3": "Mixed: White and Asian",
    "M9": "Mixed: any other background",
    "A1": "Asian: Indian",
    "A2": "Asian: Pakistani",
    "A3": "Asian: Bangladeshi",
    "A4": "Asian: Chinese",
    "A9": "Asian: any other background",
    "B1": "Black: Caribbean",
    "B2": "Black: African",
    "B9": "Black: any other background",
    "O2": "Arab",
    "O9": "Any other ethnic group",
    "NS": "Not stated",
}
"""The 18+1 self-defined ethnicity of police records (2011 census)."""
IDENTIFIERS = {
    "nhs-number": "NHS number",
    "local-authority-id": "Local authority ID",
    "compact": "COMPACT",
    "merlin": "Merlin",
    "niche": "Niche",
    "other": "Another system",
}
"""Systems that know a child by an identifier: suggested, and any other may be named."""
CLASSIFICATIONS = {
    "OFFICIAL-SENSITIVE": "OFFICIAL-SENSITIVE",
    "OFFICIAL": "OFFICIAL",
}
CATEGORIES = {"M": "Missing", "A": "Away from placement without authorisation"}
NOT_ACCEPTED = {
    "known-whereabouts": "Whereabouts are known",
    "not-met-definition": "Does not meet the definition of missing",
    "duplicate": "Reported already",
    "wrong-force": "Another police unit must take it",
    "other": "Another reason",
}
MAY_DO = {
    "add-information": "Add information: police look again",
    "ask-a-supervisor": "Ask for a supervisor’s decision",
    "ring": "Ring the unit that has the report",
}
RATIONALES = {
    "majority-of-enquiries": "Most enquiries are there",
    "best-opportunity-to-locate": "They have the best opportunity to locate the child",
    "agreed-plan": "The joint response plan says so",
    "other": "Another reason",
}
LEADS_AFTER = {
    "theirs": "The unit that is asked leads: the other episode ends in its own",
    "ours": "The unit that asks leads: the episode of the unit that is asked ends",
}
DECLINES = {
    "not-most-enquiries": "Most enquiries are not here",
    "insufficient-information": "There is not enough information",
    "wrong-area": "The child is not believed to be in our area",
    "already-located": "The child is located",
    "duplicate": "We have it already",
    "other": "Another reason",
}
INFORMATION = {
    "provided": "Provided",
    "part": "Provided in part",
    "none-held": "None held",
    "refused": "Refused",
}
CALLS = {
    "taken": "They took the report",
    "refused": "They refused the report",
    "told-to-wait": "They told me to wait",
    "handed-over": "I told them about this message",
}
CALL_WAYS = {"made": "I rang them", "taken": "They rang me"}
PLACEMENTS = {
    "new": "A new placement",
    "change": "The child has moved, or the provider has changed",
    "end": "The placement ends",
}
PLAN_ANSWERS = {"agrees": "We agree", "amends": "We amend it", "declines": "We decline"}
LOCATED_HOW = {
    "self": "Came back",
    "police": "Found by police",
    "carer": "Found by a carer",
    "family": "Found by family",
    "other": "Otherwise",
}
GROUNDS = {
    "seen": "Somebody saw the child, face to face",
    "wanted": "The child is wanted",
    "arrested-elsewhere": "The child is said to be under arrest, and nobody saw them there",
    "known-whereabouts": "It is known at what place the child is, and nobody saw them there",
}
CLOSING_GROUNDS = {
    "safe": "The child is safe, and what was owed is done",
    "ended": "The placement, or the need for this case, has ended",
    "wanted": "The child is wanted",
    "arrested-elsewhere": "The child is said to be arrested elsewhere",
    "known-whereabouts": "Whereabouts are known",
}
ERRORS = {
    "never-missing": "The child was never missing",
    "duplicate": "It was recorded twice",
    "wrong-child": "It is about another child",
    "wanted": "The child is wanted",
    "arrested-elsewhere": "The child is said to be arrested elsewhere",
    "known-whereabouts": "Whereabouts are known",
    "other": "Another error",
}
FOUND = {
    "alive": "Alive",
    "dead": "Dead",
}
INTERVIEWS = {
    "prevention": "Prevention interview, by police",
    "rhi": "Return home interview, by the responsible authority",
}
INTERVIEW_HOW = {
    "face-to-face": "Face to face",
    "phone": "By telephone",
    "not-done": "Not done",
}
INTERVIEW_WITH = {"child": "The child", "parent-or-carer": "A parent or carer"}
OFFERED = {"yes": "Yes", "no": "No", "not-applicable": "Does not apply"}
HEADINGS = {
    "sighting": "Sighting",
    "risk-change": "Change of risk",
    "phone-contact": "Telephone or online contact",
    "action": "Action done or asked for",
    "review": "Supervisor’s review",
    "ukmpu-told": "UK Missing Persons Unit told",
    "new-information": "New information",
    "other": "Something else",
}
MEETING_ACTS = {
    "new": "A new meeting",
    "change": "A change of it",
    "cancel": "It is cancelled",
}
MEETING_ROLES = {
    "home-police": "Home police",
    "destination-police": "Destination police",
    "responsible-authority": "Responsible authority",
    "host-authority": "Host authority",
    "health": "Health",
    "education": "Education",
    "carer": "Carer or provider",
    "other": "Another",
    "convenor": "Convenor",
}
ATTENDANCE = {
    "attending": "Attending",
    "deputy": "A deputy attends",
    "report-only": "Sends a report only",
    "declined": "Declined",
}
ATTENDED = {"attended": "Attended", "absent": "Absent"}
