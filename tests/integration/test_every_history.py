"""Random histories over every type of message, role and clock; rules 1 to 10 hold after each step.

Several children, cases and episodes; units that are away; people who may and who may not. Mostly
somebody does what the hub offers them, the rarest first, so that joined, directed, returned and
reopened cases come up; at times somebody tries what they like.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hub.clock import LONDON, utcnow
from hub.db import Database
from hub.errors import HubError
from hub.identity import policy
from hub.identity.actor import Actor
from hub.organisations import find_unit
from hub.records.vault import Vault
from messaging import (
    alarms,
    attachments,
    case_list,
    escalation,
    guests,
    inbox,
    open_questions,
    receipts,
    sending,
    shown,
    views,
)
from messaging.attachments import Label, examine
from messaging.choices import Action
from messaging.contracts import CONTRACTS, Command
from messaging.guest_secrets import Guest
from messaging.sending import OPENERS
from messaging.state import load
from tests.proofs import rules, steps
from tests.worlds import ISLINGTON, KENT, MET

ESSEX, AWAY, NATIONAL = "essex", "devon-and-cornwall", "npcc/missing-persons"
CHARITY, CAMDEN = "missing-people/helpline", "E09000007/childrens-social-care"
UNITS = (MET, KENT, ESSEX, ISLINGTON, AWAY)
POLICE = (MET, KENT, ESSEX)
NO_SENDERS = tuple(
    role
    for role in policy.ROLES
    if role not in ("officer", "supervisor", "practitioner", "adjudicator")
)
LEADS = {
    "lead-transfer-request", "lead-transfer-accept", "lead-transfer-decline",
    "lead-transfer-withdraw", "holding-reply", "dispute", "dispute-withdraw", "officer-handover",
    "located-confirm", "located-refuse", "report-not-accepted", "not-same-child",
    "recorded-in-error",
}  # fmt: skip
"""What police alone say, in a case or about its lead (DOMAIN.md 2, 4)."""
MAY_NOT = {
    "practitioner": {*LEADS, "direction", "direction-acknowledge"},
    "officer": {"direction", "recorded-in-error", "placement-notification"},
    "supervisor": {"direction", "placement-notification"},
    "adjudicator": set(CONTRACTS) - {"direction", "direction-acknowledge", "telephone-record"},
    **{role: set(CONTRACTS) for role in NO_SENDERS},
}
"""What a role never sends, whatever its unit is to a case."""
PAPER = examine(b"%PDF-1.7 EXERCISE %%EOF", "")
LAST = ("located", "recorded-in-error", "closure")
"""What ends an episode or a case: seldom chosen, so that something happens before."""
LIVE_LINE = 5
"""Which of the updates has a line of enquiry that somebody has to look at again."""
EXAMPLES = int(os.environ.get("HISTORIES", "20"))
STEPS = 3


def child(number: int, mark: str) -> dict[str, Any]:
    return {"family_name": f"EXERCISE {mark}", "given_name": f"EXERCISE {number}",
            "date_of_birth": f"201{number}-03-27"}  # fmt: skip


@dataclass(frozen=True)
class Saying:
    """What somebody knows who says something: when, of which child, and how units are called."""

    now: datetime
    child: dict[str, Any]
    adjudicates: bool = False
    code: Callable[[UUID], str] = str


def body_of(kind: str, one: Saying, action: Action | None, pick: int) -> dict[str, Any]:
    """Return what somebody says in a message of a type: one of the things that it may say."""
    soon = (one.now + timedelta(minutes=30)).isoformat()
    past = (one.now - timedelta(minutes=30)).isoformat()
    today = one.now.astimezone(LONDON).date()
    words = "EXERCISE"

    def any_of(*some: Any) -> Any:
        return some[pick % len(some)]

    police = any_of(*POLICE)
    match = {"match": str(action.match)} if action and action.match else {}
    report = {
        "last_seen_at": past, "last_seen_place": words, "risk": any_of("high", "medium", "low"),
        "why": words, "callback_telephone": "020 7946 0001", "associates": words, "warnings": words,
        "live_lines": words,
    }  # fmt: skip
    plan = {
        "lead_unit": one.code(action.to) if action and action.to else police,
        "first_actions_home": words, "first_actions_destination": words, "contacts_in_hours": words,
        "contacts_out_of_hours": words,
        "review_on": (today + timedelta(days=any_of(1, 400))).isoformat(),
    }  # fmt: skip
    officer = {
        "named_officer": f"EXERCISE {pick}",
        **any_of({}, {"on_duty_until": soon}),
        **any_of({}, {}, {"supervisor": words}),
    }
    return {
        "missing-episode-report": {"child": one.child, **report},
        "telephone-record": {
            "called_at": past, "with_name": words, "number": "020 7946 0002",
            **any_of({"outcome": "taken", "with_collar": "1", "their_reference": words},
                     {"outcome": "refused", "reason": words},
                     {"outcome": "told-to-wait", "reason": words}),
        },
        "report-not-accepted": {
            "explanation": words,
            **any_of({"reason": "not-met-definition"}, {"reason": "wrong-force", "readdress_to": KENT},
                     {"reason": "other"}),
        },
        "supervisor-request": {"why": words},
        "lead-transfer-request": {
            "rationale": any_of("majority-of-enquiries", "other"), "rationale_text": words,
            "circumstances": words, "live_lines": words, **match,
            **({"kind": "join-episodes", "lead_after": any_of("theirs", "ours")} if match else {}),
            **({"withdraws": str(action.withdraws)} if action and action.withdraws else {}),
        },
        "lead-transfer-accept": officer,
        "lead-transfer-decline": {"reason": any_of("wrong-area", "not-most-enquiries"),
                                  "explanation": words},
        "lead-transfer-withdraw": {"reason": words},
        "holding-reply": {"decide_by": soon, "reason": words},
        "dispute": {"grounds": words},
        "dispute-withdraw": {"reason": words},
        "direction": {"lead": one.code(action.to) if action and action.to else police,
                      "reasons": words, **match},
        "direction-acknowledge": {
            **{k: v for k, v in officer.items() if k != "supervisor"},
            **({"told_by_telephone": words} if one.adjudicates else {}),
        },
        "officer-handover": {"to_officer": f"EXERCISE {pick}", "live_lines": words},
        "information-request": {"questions": words, "warnings": words,
                                **any_of({"immediate_action": True}, {"needed_by": soon}, {})},
        "information-response": any_of(
            {"outcome": "provided", "answers": words}, {"outcome": "none-held"},
            {"outcome": "part", "answers": words, "reason": words},
            {"outcome": "refused", "reason": words},
        ),
        "update": any_of(
            {"heading": "sighting", "text": words, "police_only": words},
            {"heading": "risk-change", "text": words, "new_risk": any_of("high", "low")},
            {"heading": "ukmpu-told", "text": words}, {"heading": "review", "text": words},
            {"heading": "new-information", "text": words},
            {"heading": "other", "text": words, "live_line": words, "live_until": soon},
        ),
        "located": {"located_at": past, "seen_by": words, "place": words,
                    "how": any_of("police", "carer"), **any_of({}, {}, {"found": "alive"})},
        "located-confirm": {},
        "located-refuse": {"reason": words},
        "strategy-meeting-invitation": {
            "section_47": False, "starts_at": (one.now + timedelta(hours=any_of(1, 30))).isoformat(),
            "held_at": words, "meeting_purpose": words, "convenor": words,
            "convenor_telephone": "020 7946 0003",
            "attendees": [{"role": "other", "unit": unit} for unit in any_of(POLICE, (KENT, AWAY))],
            **({"meeting_act": any_of("change", "cancel"), "why_changed": words}
               if action and action.in_reply_to else {}),
        },
        "strategy-meeting-reply": {"attendance": any_of("attending", "declined", "deputy"),
                                   "person": words, "reason": words},
        "strategy-meeting-record": {
            "attendance": [{"unit": MET, "person": words, "attended": "attended"},
                           {"unit": KENT, "attended": "absent"}],
            "decisions": words,
            "actions": [{"what": words, "owner": any_of("lead", MET), "due": soon}],
        },
        "recorded-in-error": {"ground": any_of("never-missing", "wrong-child", "wanted"),
                              "reason": words, "authorised_by": "EXERCISE second"},
        "interview-record": {
            "rhi": any_of({"interview": "rhi", "offered": "yes", "accepted": True,
                           "completed_on": today.isoformat()},
                          {"interview": "rhi", "offered": "yes", "accepted": False, "reason": words}),
            "prevention": any_of({"interview": "prevention", "how": "phone", "with_whom": "child"},
                                 {"interview": "prevention", "how": "not-done", "reason": words}),
        }[(action.interview if action else None) or "prevention"],
        "authority-named": {"why": words},
        "admit-recording": {"reason": words, **match},
        "not-same-child": {"reason": words, **match},
        "closure": {"outcome": words, "authorised_by": words},
        "reopen": {"reason": words, "authorised_by": words},
        "placement-notification": {
            "child": one.child, "placement_address": words, "placement_postcode": "CT9 1EZ",
            "starts_on": (today + timedelta(days=any_of(-9, 0, 3))).isoformat(),
            "social_worker_telephone": "020 7946 0201", "destination_unit": KENT, "home_unit": MET,
            "action": any_of("new", "change", "end") if action else "new",
            "ends_on": (today + timedelta(days=40)).isoformat(),
        },
        "joint-response-plan": plan,
        "plan-reply": {"answer": any_of("agrees", "declines"), "named_person": words,
                       "reason": words},
    }[kind]  # fmt: skip


def machine(database: Database, vault: Vault, url: str, people: dict[tuple[str, str], Actor],
            away: Actor, seen: Counter[str]) -> type:  # fmt: skip
    able = [one for one in people if one[1] not in NO_SENDERS]
    senders = st.sampled_from(able)
    picks = st.integers(0, 11)

    class Every(RuleBasedStateMachine):
        """Cases of two children, and people who do in them what they may, or try to."""

        def __init__(self) -> None:
            super().__init__()
            self.now = datetime(2027, 3, 27, 22, tzinfo=LONDON).astimezone(utcnow().tzinfo)
            self.all = rules.Everything(url)
            self.children: dict[str, str] = {}
            self.acknowledged: dict[UUID, str] = {}
            self.marks: dict[UUID, bytes] = {}
            self.rare: Counter[str] = Counter()
            self.sent: str | None = None
            self.turn = 0
            self.asks: UUID | None = None
            self.mark = uuid4().hex
            self.led = rules.leads(self.all)
            self.units = steps.units(self.all)
            self.before = steps.moment(self.all, self.now, self.units)

        def teardown(self) -> None:
            for row in self.all.rows("SELECT DISTINCT kind FROM clock"):
                seen[f"clock {row.kind}"] += 1
            self.all.connection.execute("TRUNCATE cases CASCADE")
            self.all.connection.execute("DELETE FROM lead_setting")
            self.all.close()

        def code(self, unit: UUID) -> str:
            return self.all.rows("SELECT code FROM unit WHERE id = %(id)s", id=unit)[0].code

        @initialize(
            how=st.sampled_from(("refused", "planned", "recorded", "twice", "found", "directed")),
            pick=picks,
            seed=st.integers(0, 2**32),
            asks=st.booleans(),
        )
        def begin(self, how: str, pick: int, seed: int, *, asks: bool) -> None:
            """Begin as chance alone seldom gets to: refused, planned, with a live line, twice, found,
            or directed by the adjudicator after an offer was held and declined, and disputed twice.

            At times Kent accepts the lead with a supervisor's authority alone.
            """
            self.all.connection.execute("DELETE FROM lead_setting")
            if asks:
                self.asks = people[KENT, "officer"].organisation_id
                self.all.connection.execute(
                    "INSERT INTO lead_setting (organisation_id, supervisor_authorises)"
                    " VALUES (%s, true)", [self.asks],
                )  # fmt: skip
            by = (
                (MET, "officer")
                if how in ("recorded", "found", "directed")
                else (ISLINGTON, "practitioner")
            )
            self.open(by, OPENERS[how in ("planned", "twice")], 1, pick, ESSEX)
            [ref] = self.children
            if how == "planned":
                self.plan(pick)
            elif how == "twice":
                self.open((ESSEX, "officer"), OPENERS[0], 1, pick)
            elif how == "refused":
                self.first((ESSEX, "officer"), ref, "report-not-accepted")
                self.first((ISLINGTON, "practitioner"), ref, "supervisor-request")
            elif how == "recorded":
                self.first((MET, "officer"), ref, "update", LIVE_LINE)
            elif how == "found":
                self.first((MET, "officer"), ref, "located")
            elif how == "directed":
                self.first((MET, "officer"), ref, "lead-transfer-request", 9)
                self.first((KENT, "officer"), ref, "holding-reply")
                self.first((KENT, "officer"), ref, "lead-transfer-decline")
                self.first((MET, "officer"), ref, "dispute")
                self.first((MET, "officer"), ref, "dispute-withdraw")
                self.first((MET, "officer"), ref, "dispute")
                self.first((NATIONAL, "adjudicator"), ref, "direction")
                self.first((KENT, "officer"), ref, "direction-acknowledge")
                self.first((KENT, "officer"), ref, "lead-transfer-request", 4)
                self.first((MET, "officer"), ref, "lead-transfer-accept")
            self.a_night_of_what_is_offered(seed)

        def first(self, by: tuple[str, str], ref: str, kind: str, pick: int = 0) -> None:
            """Have somebody do what they are offered; of several of a type the last."""
            *_, action = (one for one in self.choices(people[by], ref) if one.type == kind)
            assert isinstance(self.say(people[by], ref, kind, action, pick), UUID)

        def plan(self, pick: int) -> None:
            """Have a plan agreed that names the Met."""
            with database.unit_of_work() as session:
                met = find_unit(session, MET)
                assert met is not None
            [ref] = self.children
            action = Action("joint-response-plan", to=met.id)
            asked = self.say(people[KENT, "officer"], ref, "joint-response-plan", action, 1)
            reply = Action("plan-reply", asked if isinstance(asked, UUID) else None)
            self.say(people[MET, "officer"], ref, "plan-reply", reply, pick % 3 // 2)

        def open(
            self, by: tuple[str, str], kind: str, number: int, pick: int, to: str = MET
        ) -> None:
            """Open another case, or have the report go where the child is known already."""
            if len(self.children) >= 4:
                return
            self.now += timedelta(seconds=1)
            saying = Saying(self.now, child(number, self.mark))
            command = Command.model_validate({
                "type": kind, "status": "exercise", "body": body_of(kind, saying, None, pick),
                "to": [to] if by[1] == "practitioner" and kind == OPENERS[0] else [],
            })  # fmt: skip
            try:
                with database.unit_of_work() as session:
                    sent = sending.open_case(session, people[by], vault, command, self.now)
            except HubError as error:
                self.refused(kind, people[by], error, offered=False)
                return
            self.note(kind, sent)
            self.children.setdefault(sent.case_reference, f"{number}")
            self.step_holds()

        def note(self, kind: str, sent: sending.Sent) -> None:
            self.sent = kind
            self.rare[kind] += 1
            seen[kind] += 1
            self.acknowledged[sent.message_id] = kind

        def say(self, actor: Actor, ref: str, kind: str, action: Action | None, pick: int,
                about: UUID | None = None) -> UUID | str:  # fmt: skip
            """Send; return the message's id, or the refusal's code."""
            self.now += timedelta(seconds=1)
            saying = Saying(
                self.now, child(int(self.children[ref]), self.mark), "adjudicator" in actor.roles,
                self.code,
            )  # fmt: skip
            to: list[str] = []
            if action and action.to and kind in ("lead-transfer-request", "dispute"):
                to = [self.code(action.to)]
            elif kind in ("lead-transfer-request", "information-request"):
                to = [(MET, KENT, ESSEX, AWAY)[pick % 4]]
            elif kind == "authority-named":
                to = [(ISLINGTON, CAMDEN)[pick % 2]]
            elif kind == "update" and pick % 4 == 3:
                to = [CHARITY]
            command = Command.model_validate({
                "type": kind, "body": body_of(kind, saying, action, pick), "to": to,
                **({"purpose": "EXERCISE"} if kind == "information-request" else {}),
                "callback_telephone": "020 7946 0001",
                "in_reply_to": (action.in_reply_to if action else None) or about,
                "priority": ("routine", "urgent", "routine")[pick % 3],
                "attachments": self.file(actor, ref, pick) if kind == "update" else [],
            })  # fmt: skip
            sent = self.send(actor, ref, command)
            if isinstance(sent, HubError):
                self.refused(kind, actor, sent, offered=action is not None)
                return sent.code
            self.note(kind, sent)
            self.step_holds()
            if kind in steps.ASKED_IN:
                self.send_again(actor, ref, command)
            return sent.message_id

        def file(self, actor: Actor, ref: str, pick: int) -> list[UUID]:
            """Upload a file for all that the message is for, or for police alone, or none."""
            audience = (None, "police", "")[pick % 3]
            if audience == "":
                return []
            try:
                with database.unit_of_work() as session:
                    at = attachments.place(session, actor, ref, self.now)
                    label = Label("EXERCISE.pdf", "document", audience)
                    return [attachments.stage(session, actor, vault, at, PAPER, label, self.now)]
            except HubError:
                return []  # so it goes to whoever may not send the message either

        def send(self, actor: Actor, ref: str, command: Command) -> sending.Sent | HubError:
            """Send a command, and return what became of it; a refusal changes nothing."""
            try:
                with database.unit_of_work() as session:
                    return sending.send(session, actor, vault, ref, command, self.now)
            except HubError as error:
                after = steps.moment(self.all, self.now, self.units)
                steps.rule_6_nothing_twice(self.before, after)
                if steps.rule_3_too_late(after, ref, command.type, command.in_reply_to, error):
                    seen["too late"] += 1
                return error

        def send_again(self, actor: Actor, ref: str, command: Command) -> None:
            """Answer what is answered, as somebody does whose line broke: they are told so."""
            self.now += timedelta(seconds=1)
            again = self.send(actor, ref, command)
            assert isinstance(again, HubError), f"{command.type} took effect twice"
            # An adjudicator sees a case until it is decided: then there is none for them.
            gone = again.code == "not-found" and "adjudicator" in actor.roles
            assert gone or again.status == 409, (command.type, again.code)
            seen[f"-- {command.type} again: {again.code}"] += 1

        def step_holds(self) -> None:
            """The rules about what one step may change."""
            after = steps.moment(self.all, self.now, self.units)
            steps.hold(self.all, self.before, after)
            steps.rule_1_with_authority(self.before, after, self.asks)
            self.before = after

        def refused(self, kind: str, actor: Actor, error: HubError, *, offered: bool) -> None:
            """A refusal has a reason of its own; what the hub offers is not beyond the role."""
            assert error.status in (403, 404, 409, 422), (kind, error.code)
            assert not offered or error.status in (409, 422), (kind, error.code, actor.roles)
            seen[f"- {kind}: {error.code}"] += 1
            for role in actor.roles:
                seen[f"role {role}"] += 1

        def choices(self, actor: Actor, ref: str) -> list[Action]:
            with database.unit_of_work() as session:
                try:
                    case = load(session, actor, ref, self.now, lock=False)
                except HubError:
                    return []
                return views.actions(session, case, actor)

        @rule(seed=st.integers(0, 2**32))
        def a_night_of_what_is_offered(self, seed: int) -> None:
            """Some acts: somebody does what the hub offers, mostly what was done least; time goes by."""
            dice = random.Random(seed)
            for _ in range(25):
                ref = dice.choice(list(self.children))
                what = dice.random()
                if what < 0.15:
                    self.wait(dice.choice((3, 11, 61, 250)))
                elif what < 0.2:
                    self.open(dice.choice(able), dice.choice(OPENERS), 1, dice.randrange(12), MET)
                elif what < 0.27:
                    self.ring(dice.randrange(9))
                    self.a_guest_answers(dice.randrange(9), dice.randrange(12))
                elif what < 0.35:
                    self.try_anything(
                        dice.choice(list(people)), dice.randrange(9), dice.choice(list(CONTRACTS)),
                        dice.randrange(12), dice.random() < 0.5,
                    )  # fmt: skip
                elif offers := [
                    (self.rare[action.type] + (action.type in LAST), dice.random(), by, action)
                    for by in dice.sample(able, 4)
                    for action in self.choices(people[by], ref)
                ]:
                    pick = dice.choice if dice.random() < 0.25 else min
                    _, _, by, action = pick(offers)
                    self.rare[action.type] += 1
                    self.say(people[by], ref, action.type, action, dice.randrange(12))
                    for role in people[by].roles:
                        seen[f"role {role}"] += 1
                self.rules_hold()

        def try_anything(
            self, by: tuple[str, str], which: int, kind: str, pick: int, replies: bool
        ) -> None:
            ref = list(self.children)[which % len(self.children)]
            said = sorted(self.acknowledged)
            outcome = self.say(
                people[by], ref, kind, None, pick, said[-1 - pick % len(said)] if replies else None
            )
            if by[1] in NO_SENDERS:
                assert not isinstance(outcome, UUID)

        def a_guest_answers(self, which: int, pick: int) -> None:
            """Somebody of a unit that is not on the hub answers what waits for it."""
            ref = list(self.children)[which % len(self.children)]
            offered = self.choices(away, ref)
            answers = [one for one in offered if CONTRACTS[one.type].ANSWERS]
            further = [one for one in offered if one.type in open_questions.FURTHER]
            for action in answers[:1] or further[pick % (len(further) or 1) :][:1]:
                self.say(away, ref, action.type, action, pick)
                seen["role guest"] += 1

        def ring(self, which: int) -> None:
            """Whoever offered the lead to a unit that is away says that they rang."""
            ref = list(self.children)[which % len(self.children)]
            for row in self.all.rows("""
                SELECT q.message_id, u.code FROM lead_request q JOIN unit u ON u.id = q.from_unit_id
                JOIN episode e ON e.id = q.episode_id JOIN cases c ON c.id = e.case_id
                WHERE q.state = 'open' AND c.reference = %(ref)s""", ref=ref):  # fmt: skip
                if (row.code, "officer") in people:
                    action = Action("telephone-record", row.message_id)
                    self.say(people[row.code, "officer"], ref, "telephone-record", action, 0)

        @rule(minutes=st.sampled_from((61, 1500, 4400)))
        def wait(self, minutes: int) -> None:
            self.now += timedelta(minutes=minutes)
            self.sent = None
            with database.unit_of_work() as session:
                while alarms.escalate(session, self.now):
                    pass
            before = self.before
            self.step_holds()
            self.who_is_rung_instead(before)

        def who_is_rung_instead(self, before: steps.Moment) -> None:
            """Of what a lead that is away has missed now, who led before it hears."""
            for key, step in self.before["escalation"].items():
                clock = self.before["clock"][step.clock_id]
                owes = clock.owed_by_unit_id
                away_leads = owes == away.unit_id == self.before.leads(clock.case_id)
                if key in before["escalation"] or not away_leads:
                    continue
                with database.unit_of_work() as session:
                    told = alarms.concerned(session, clock.id, self.now)
                assert told is not None
                steps.rule_5_rung_instead(self.before, clock, told.units)
                seen["rung instead"] += 1

        @rule(by=senders, which=picks)
        def look_and_acknowledge(self, by: tuple[str, str], which: int) -> None:
            """Read a case, and acknowledge what is new: that moves nothing."""
            actor, self.sent = people[by], None
            self.now += timedelta(seconds=1)
            ref = list(self.children)[which % len(self.children)]
            view = self.view(actor, ref, automatic=False)
            if view is None:
                return
            with database.unit_of_work() as session:
                for row in inbox.inbox(session, actor, now=self.now)[:2]:
                    if row.to_unit_id in actor.unit_ids:
                        try:
                            receipts.acknowledge(session, actor, row.message_id, self.now)
                        except HubError as error:
                            assert error.status in (403, 404)
            self.step_holds()

        def view(self, actor: Actor, ref: str, *, automatic: bool = True) -> shown.CaseView | None:
            try:
                with database.unit_of_work() as session:
                    return views.case_view(
                        session, actor, vault, ref, self.now, reason_code="test",
                        automatic=automatic,
                    )  # fmt: skip
            except HubError as error:
                assert error.code == "not-found"
                return None

        @invariant()
        def rules_hold(self) -> None:
            """Rules 1 to 10, each after each step."""
            if not self.children:
                return
            self.rule_8_each_sees_its_part()
            rules.rule_1_one_lead(self.all)
            led = rules.leads(self.all)
            rules.rule_1_what_moves_it(self.led, led, self.sent)
            self.led, self.sent = led, None
            rules.rule_2_a_report_is_no_episode(self.all)
            rules.rule_3_one_request(self.all)
            rules.rule_4_duty_to_act(self.all)
            rules.rule_5_four_facts(self.all)
            rules.rule_6_nothing_lost(self.all, self.acknowledged)
            rules.rule_7_immutable(self.all, self.marks)
            rules.rule_9_located_is_seen(self.all)
            closed = {
                row.reference
                for row in self.all.rows("SELECT reference FROM cases WHERE closed_at IS NOT NULL")
            }
            ours = self.children
            rules.rule_10_contested(self.all, ours, closed)
            rules.clocks_are_owed(self.all, self.now)

        def rule_8_each_sees_its_part(self) -> None:
            """One reader after another: no case to strangers, and of messages what is for them."""
            self.turn += 1
            (unit, role), actor = list(people.items())[self.turn % len(people)]
            ref = list(self.children)[self.turn % len(self.children)]
            view = self.view(actor, ref)
            parties = {
                row.unit_id: row.sees
                for row in self.all.rows("""SELECT p.unit_id, p.sees FROM party p
                    JOIN cases c ON c.id = p.case_id WHERE c.reference = %(ref)s""", ref=ref)
            }  # fmt: skip
            sees = parties.get(actor.unit_id)
            if self.turn // len(people) % 3 == 0:  # it changes with the case, not with each step
                self.role_is_held(actor, ref)
            if view is None:
                assert sees is None or role in NO_SENDERS or role == "adjudicator"
                return
            assert role not in NO_SENDERS
            assert sees is not None or role == "adjudicator"
            rules.rule_8_is_for_them(
                view, police=actor.police or role == "adjudicator", statutory=unit == ISLINGTON,
                limited=sees == "limited",
            )  # fmt: skip
            rules.rule_10_nothing_of_the_other(self.all, ref, [one.id for one in view.messages])
            if sees is not None and role != "adjudicator":
                self.rule_4_is_answerable(actor, ref, view)
            if sees == "full":
                self.rule_10_is_said(actor, ref)
                self.rule_10_goes_on(actor, ref)

        def role_is_held(self, actor: Actor, ref: str) -> None:
            """What a role never sends is refused: by the map, or as an answer that is not theirs."""
            [role] = actor.roles
            with database.unit_of_work() as session:
                try:
                    case = load(session, actor, ref, self.now, lock=False)
                except HubError as error:
                    assert error.status in (403, 404)
                    return
                for kind in MAY_NOT[role]:
                    try:
                        sending.acting_unit(case, actor, kind, f"send.{kind}")
                    except HubError as error:
                        assert error.code == "not-permitted"
                    else:
                        assert CONTRACTS[kind].ANSWERS, f"{role} may send {kind}"
            answers = sorted(kind for kind in MAY_NOT[role] if CONTRACTS[kind].ANSWERS)
            if not answers:
                return
            kind = answers[self.turn % len(answers)]
            table = steps.ASKED_IN.get(kind, "lead_request")
            asked = [row.message_id for row in self.before[table].values()]
            saying = Saying(self.now, child(int(self.children[ref]), self.mark), code=self.code)
            command = Command.model_validate({
                "type": kind, "body": body_of(kind, saying, None, self.turn),
                "in_reply_to": asked[-1] if asked else None,
            })  # fmt: skip
            assert isinstance(self.send(actor, ref, command), HubError), f"{role} sent {kind}"

        def rule_4_is_answerable(self, actor: Actor, ref: str, view: shown.CaseView) -> None:
            """What somebody was asked their page lets them answer, whoever leads."""
            open_ = self.all.rows("""SELECT i.message_id FROM information_request i
                JOIN cases c ON c.id = i.case_id AND c.closed_at IS NULL
                WHERE c.reference = %(ref)s AND i.state = 'open' AND i.to_unit_id = %(unit)s""",
                ref=ref, unit=actor.unit_id)  # fmt: skip
            may = {one.in_reply_to for one in view.actions if one.type == "information-response"}
            assert {row.message_id for row in open_} <= may

        def rule_10_is_said(self, actor: Actor, ref: str) -> None:
            """Each page of a contested case says so."""
            open_ = self.all.rows("""SELECT m.id FROM match m JOIN cases c
                ON c.id IN (m.one_case_id, m.other_case_id)
                JOIN cases a ON a.id = m.one_case_id AND a.closed_at IS NULL
                JOIN cases b ON b.id = m.other_case_id AND b.closed_at IS NULL
                WHERE m.state = 'open' AND c.reference = %(ref)s""", ref=ref)  # fmt: skip
            with database.unit_of_work() as session:
                [row] = case_list.cases(session, actor, reference=ref)
            assert row.contested == bool(open_)

        def rule_10_goes_on(self, actor: Actor, ref: str) -> None:
            """The reference of a joined case names the one that goes on, through any between."""
            [case] = [one for one in self.before["cases"].values() if one.reference == ref]
            if case.joined_into_id is None:
                return
            end = case
            while end.joined_into_id is not None:
                end = self.before["cases"][end.joined_into_id]
            command = Command.model_validate({
                "type": "update", "body": {"heading": "other", "text": "EXERCISE"},
            })  # fmt: skip
            error = self.send(actor, ref, command)
            assert isinstance(error, HubError)
            assert (error.code, error.extra.get("case_reference")) == ("case-joined", end.reference)
            seen["alias"] += 1

    return Every


def test_every_type_is_in_the_histories() -> None:
    saying = Saying(utcnow(), child(1, ""))
    for kind, contract in CONTRACTS.items():
        assert contract.model_validate_json(json.dumps(body_of(kind, saying, None, 0)))


def test_random_histories_of_every_type_keep_the_rules(
    database: Database, vault: Vault, superuser_url: str, someone: Callable[..., Actor]
) -> None:
    people = {(unit, "officer"): someone(unit) for unit in POLICE}
    people |= {(unit, "supervisor"): someone(unit, "supervisor") for unit in (MET, KENT)}
    people[ISLINGTON, "practitioner"] = someone(ISLINGTON, "practitioner")
    people[CHARITY, "practitioner"] = someone(CHARITY, "practitioner")
    people[NATIONAL, "adjudicator"] = someone(NATIONAL, "adjudicator")
    people |= {(MET, role): someone(MET, role) for role in NO_SENDERS}
    people[KENT, "system"] = replace(
        people[KENT, "officer"], kind="client", status=None, session_id=None, name="EXERCISE system"
    )
    with database.unit_of_work() as session:
        unit = find_unit(session, AWAY)
        assert unit is not None
        away = guests.stand_in(session, unit.id, Guest("EXERCISE guest", "1", "PS"), uuid4())
    seen: Counter[str] = Counter()
    run_state_machine_as_test(
        machine(database, vault, superuser_url, people, away, seen),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="HISTORIES" not in os.environ,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    kinds = {name.removeprefix("clock ") for name in seen if name.startswith("clock ")}
    if os.environ.get("HISTORIES_SAY"):
        print(sorted(seen.items()), sorted(escalation.STEPS.keys() - kinds))
    assert set(CONTRACTS) - set(seen) == set()
    assert escalation.STEPS.keys() - kinds == set()
    assert seen["too late"]
    roles = {name.removeprefix("role ") for name in seen if name.startswith("role ")}
    assert roles >= {*policy.ROLES, "guest"}
