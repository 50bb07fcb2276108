"""The one map of permission: action × role × relation to the object; what is not here is denied.

Relations are words that the feature computes: "any" (no object), "own" (my unit's or
organisation's), "party", "lead", "side" (it leads, led before, or was offered the lead), "rings-lead"
(it stands by a lead that is not on the hub), "disputer", "directed" (the direction names it),
"adjudicator" (neither side's, while it is undecided), "asked" (a question waits for it), "offered" (the
open request is to my unit), "requester" (it is mine), "addressed" (the report is to my unit),
"reporter", "opener", "home", "recipient", "not-sender" (somebody else sent or uploaded it), "system" (a
partner system, no person), "own-system" (a partner system of the organisation itself).
"""

from collections.abc import Collection, Mapping

from hub.errors import HubError, forbidden
from hub.identity.actor import PASS, Actor

ROLES = (
    "practitioner",
    "officer",
    "supervisor",
    "directory-reader",
    "adjudicator",
    "directory-editor",
    "administrator",
    "national-administrator",
    "auditor",
)
"""The roles of DOMAIN.md 2."""

POLICE = frozenset({"officer", "supervisor"})
STAFF = POLICE | {"practitioner"}
READERS = STAFF | {
    "directory-reader", "adjudicator", "directory-editor", "administrator",
    "national-administrator", "auditor",
}  # fmt: skip

Rule = tuple[frozenset[str], frozenset[str]]


def _rule(roles: Collection[str], *relations: str) -> Rule:
    return frozenset(roles), frozenset(relations)


PERMISSIONS: Mapping[str, tuple[Rule, ...]] = {
    "directory.read-professional": (_rule(READERS, "any"),),
    "directory.read-police": (_rule(POLICE, "any"), _rule({"directory-reader"}, "system")),
    "directory.verify-mailbox": (
        _rule({"directory-editor"}, "own"),
        _rule({"national-administrator"}, "any", "own"),
    ),
    "directory.edit": (
        _rule({"directory-editor"}, "own", "delegated"),
        _rule({"national-administrator"}, "any", "own", "delegated"),
    ),
    "directory.keep": (_rule({"directory-editor", "national-administrator"}, "any"),),
    "directory.suggest": (_rule(STAFF | {"directory-reader", "directory-editor"}, "any"),),
    "directory.report": (_rule(READERS, "any"),),
    "directory.oversee-any": (_rule({"adjudicator", "national-administrator"}, "any"),),
    "directory.oversee-own": (
        _rule(
            {"directory-editor", "administrator", "adjudicator", "national-administrator"}, "any"
        ),
    ),
    "directory.invite": (_rule({"adjudicator", "national-administrator"}, "any", "own"),),
    "directory.administer": (
        _rule({"administrator"}, "own"),
        _rule({"national-administrator"}, "any", "own"),
    ),
    "organisation.name": (
        _rule({"administrator"}, "own"),
        _rule({"directory-editor"}, "own-system"),
        _rule({"national-administrator"}, "any", "own"),
    ),
    "organisation.restructure": (_rule({"national-administrator"}, "any", "own"),),
    "inbox.read": (_rule(STAFF | {"adjudicator"}, "any"),),
    "case.list": (_rule(STAFF, "any"),),
    "case.search": (_rule(STAFF, "any"),),
    "case.open": (_rule(STAFF, "any"),),
    "case.read": (
        _rule(STAFF, "party", "recipient", "reporter"),
        _rule({"adjudicator"}, "adjudicator"),
    ),
    "message.acknowledge": (_rule(STAFF, "recipient"),),
    "send.missing-episode-report": (
        _rule(POLICE, "any", "addressed", "party"),
        _rule({"practitioner"}, "any", "party", "reporter"),
    ),
    "send.telephone-record": (
        _rule(STAFF, "party", "reporter"),
        _rule({"adjudicator"}, "adjudicator"),
    ),
    "send.report-not-accepted": (_rule(POLICE, "addressed"),),
    "send.supervisor-request": (_rule(STAFF, "party", "reporter"),),
    "send.lead-transfer-request": (_rule(POLICE, "lead"),),
    "send.lead-transfer-accept": (_rule(POLICE, "offered"),),
    "send.lead-transfer-decline": (_rule(POLICE, "offered"),),
    "send.lead-transfer-withdraw": (_rule(POLICE, "requester"),),
    "send.holding-reply": (_rule(POLICE, "offered"),),
    "send.dispute": (_rule(POLICE, "side"),),
    "send.dispute-withdraw": (_rule(POLICE, "disputer"),),
    "send.direction": (_rule({"adjudicator"}, "adjudicator"),),
    "send.direction-acknowledge": (
        _rule(POLICE, "directed"),
        _rule({"adjudicator"}, "adjudicator"),
    ),
    "send.officer-handover": (_rule(POLICE, "lead"),),
    "send.information-request": (_rule(STAFF, "party"),),
    "send.information-response": (_rule(STAFF, "asked"),),
    "send.update": (_rule(STAFF, "party", "reporter"),),
    "send.located": (_rule(STAFF, "party", "reporter", "recipient"),),
    "send.located-confirm": (_rule(POLICE, "lead"),),
    "send.located-refuse": (_rule(POLICE, "lead"),),
    "send.strategy-meeting-invitation": (_rule(STAFF, "party"),),
    "send.strategy-meeting-reply": (_rule(STAFF, "party", "recipient"),),
    "send.strategy-meeting-record": (_rule(STAFF, "party"),),
    "action.done": (_rule(STAFF, "party", "recipient", "reporter"),),
    "meeting.figures": (_rule({"supervisor", "adjudicator"}, "any"),),
    "exercise.reset": (_rule({"supervisor", "administrator", "national-administrator"}, "any"),),
    "lead.decide-own": (_rule({"administrator", "national-administrator"}, "any"),),
    "lead.decide-any": (_rule({"national-administrator"}, "any"),),
    "attachment.upload": (
        _rule(STAFF, "party", "reporter", "asked", "addressed"),
        _rule({"adjudicator"}, "adjudicator"),
    ),
    "send.recorded-in-error": (_rule({"supervisor"}, "lead"),),
    "send.interview-record": (_rule(STAFF, "party", "reporter", "recipient"),),
    "send.authority-named": (
        _rule(STAFF, "opener", "reporter", "home", "last-lead", "lead", "addressed"),
    ),
    "send.placement-notification": (_rule({"practitioner"}, "any", "party"),),
    "send.joint-response-plan": (_rule(STAFF, "party"),),
    "send.plan-reply": (_rule(STAFF, "party"),),
    "send.admit-recording": (
        _rule(STAFF, "home"),
        _rule(POLICE, "addressed", "last-lead", "lead"),
    ),
    "send.not-same-child": (_rule(POLICE, "lead", "home", "addressed", "last-lead"),),
    "send.closure": (_rule(STAFF, "opener", "home", "last-lead"),),
    "send.reopen": (_rule(STAFF, "opener", "home", "last-lead"),),
    "guest-link.issue": (_rule(STAFF, "requester", "rings-lead"),),
    "signed-reply.upload": (_rule(POLICE, "requester"),),
    "signed-reply.authorise": (_rule({"supervisor"}, "not-sender"),),
}


def allows(actor: Actor, action: str, *relations: str) -> bool:
    """Say whether the actor may do this to an object that they stand to in these relations.

    Raises:
        KeyError: there is no such action, which is an error of the caller.
    """
    held = frozenset(relations) or frozenset({"any"})
    return any(actor.roles & roles and held & wanted for roles, wanted in PERMISSIONS[action])


def has_role(actor: Actor, action: str) -> bool:
    """Say whether a role of the actor's may do this to some object, whatever they are to this one.

    Raises:
        KeyError: there is no such action, which is an error of the caller.
    """
    return any(actor.roles & roles for roles, _wanted in PERMISSIONS[action])


def audiences(actor: Actor) -> frozenset[str]:
    """Return whose contacts of the directory the actor may see: public, professional, police."""
    if actor.kind == PASS:
        return actor.scopes
    found = {"public"}
    if actor.signed_in and allows(actor, "directory.read-professional"):
        found.add("professional")
    relations = ("any", "system") if actor.kind == "client" else ("any",)
    if actor.signed_in and actor.police and allows(actor, "directory.read-police", *relations):
        found.add("police")
    return frozenset(found)


def require(actor: Actor, action: str, *relations: str) -> None:
    """Refuse what the map does not allow.

    Raises:
        HubError: 401 for nobody, 403 for somebody.
    """
    if not actor.signed_in:
        raise HubError("sign-in-needed", 401, "Sign in to do this.")
    if not allows(actor, action, *relations):
        raise forbidden(
            "not-permitted",
            "Your role does not allow this here. Ask a colleague whose role does, or your"
            " administrator.",
        )
