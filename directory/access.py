"""Reading by a mailbox at a registered domain, and editing by those whom a team named."""

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from directory import links
from directory.changes import because
from directory.model import DirectoryLink
from hub.clock import LONDON
from hub.db import register_constraint
from hub.errors import HubError, conflict, invalid, not_found
from hub.identity import people
from hub.identity.actor import Actor
from hub.identity.model import Membership, Person
from hub.identity.policy import require
from hub.organisations import Organisation, Unit
from hub.records import audit
from hub.records.keys import Keys

ROLES = {"access": "directory-reader", "editor": "directory-editor"}
register_constraint(
    "ck_organisation_mail_domains", "domain-taken", 409,
    "Another organisation registered this domain. Look at the list again.",
)  # fmt: skip
PUBLIC_MAIL = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "yahoo.com",
    "yahoo.co.uk", "icloud.com", "live.co.uk", "aol.com", "btinternet.com", "proton.me",
})  # fmt: skip


def ask(session: Session, keys: Keys, address: str, now: datetime) -> None:
    """Mail a link to an address at a registered domain; to any other, nothing, and nothing is said.

    Raises:
        HubError: 422 when it is no address.
    """
    clean = people.clean_email(address)
    organisation = organisation_of(session, clean, now)
    if organisation is None:
        return
    links.issue(
        session, keys, purpose="access", organisation_id=organisation.id, address=clean,
        sent_by="the reader", now=now,
    )  # fmt: skip


def organisation_of(session: Session, address: str, now: datetime) -> Organisation | None:
    """Return the organisation whose registered domain an address is at."""
    return session.scalar(_of_domain(address.rpartition("@")[2].lower(), now))


def _of_domain(domain: str, now: datetime) -> Select[Organisation]:
    today = now.astimezone(LONDON).date()
    return (
        select(Organisation)
        .where(
            Organisation.mail_domains.contains([domain]),
            Organisation.valid_to.is_(None) | (Organisation.valid_to > today),
        )
        .order_by(Organisation.code)
        .limit(1)
    )


def enter(
    session: Session, link: DirectoryLink, *, name: str, password: str, now: datetime
) -> Person:
    """Make the account that a link is for, and use the link up.

    Somebody who has an account keeps it, name and password too, and gets the role beside.

    Raises:
        HubError: 422 `name` or `password`.
    """
    if not known(session, link) and not 2 <= len(name.strip()) <= 120:
        raise invalid("name", "Give your name.", "/name")
    organisation = session.get_one(Organisation, link.organisation_id)
    unit = session.scalar(
        select(Unit)
        .where(Unit.organisation_id == organisation.id, Unit.valid_to.is_(None))
        .order_by(Unit.parent_id.is_not(None), Unit.code)
        .limit(1)
    )
    if unit is None:
        raise not_found()
    guest = links.guest(session, link, name.strip() or link.address)
    there = known(session, link)
    if there is not None and session.scalar(
        select(Membership.id).where(
            Membership.person_id == there.id,
            Membership.unit_id == unit.id,
            Membership.role == ROLES[link.purpose],
            Membership.valid_to.is_(None),
        )
    ):
        links.use(session, link, guest, now)
        return there
    person = people.add_person_with_membership(
        session, guest.who, email=link.address, name=name, organisation=organisation.code,
        unit=unit.code, role=ROLES[link.purpose], status=link.status, password=password, now=now,
    )  # fmt: skip
    links.use(session, link, guest, now)
    return person


def known(session: Session, link: DirectoryLink) -> Person | None:
    """Return who has an account already at the address that a link was mailed to."""
    return session.scalar(select(Person).where(Person.email == link.address))


def set_domains(
    session: Session, actor: Actor, organisation: Organisation, domains: list[str], now: datetime
) -> None:
    """Keep the list of domains whose mailboxes may register themselves to read.

    A domain is one organisation's: whoever registers from it reads, and reports, as of that one.

    Raises:
        HubError: 401, 403; 422 `domains`.
    """
    own = actor.organisation_id == organisation.id
    require(actor, "directory.administer", "own" if own else "any")
    if actor.status == "exercise":
        raise conflict(
            "exercise-domains", "An exercise does not change who may read the real directory."
        )
    clean = []
    for text in domains:
        domain = text.strip().lower().lstrip("@")
        if not domain:
            continue
        try:
            people.clean_email(f"team@{domain}")
        except HubError:
            raise invalid("domains", "Give domains such as kent.example.org.", "/domains") from None
        if domain in PUBLIC_MAIL:
            raise invalid(
                "domains", f"Anybody can have a mailbox at {domain}: it cannot be registered.",
                "/domains",
            )  # fmt: skip
        clean.append(domain)
    for domain in sorted(set(clean)):
        other = session.scalar(_of_domain(domain, now).where(Organisation.id != organisation.id))
        if other is not None:
            raise invalid(
                "domains", f"{domain} is registered for {other.name}. A mailbox can be of one"
                " organisation alone: ask its administrators.", "/domains",
            )  # fmt: skip
    because(session, actor.who, "who may register to read", now)
    organisation.mail_domains = sorted(set(clean))
    session.flush()
    audit.record(
        session, actor.who, "directory.domains-set", now=now, object_kind="organisation",
        object_id=organisation.id,
    )  # fmt: skip
