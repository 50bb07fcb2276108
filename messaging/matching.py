"""The keyed match: every child written down finds the other open cases of the same child (4.10).

Keys are kept and looked for under a lock of their own, so that of two units that record the same
child in the same second the later one finds the earlier. No word of the child is kept here.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from hub.identity.actor import Actor
from hub.jobs import outbox
from hub.records.vault import Vault
from messaging import likeness, match_clocks
from messaging.contracts import Contract
from messaging.contracts.reports import Child
from messaging.state import CaseState

MATCH_JOB = "match"
SAME_CHILD = ("birth", "identifier")
"""What two cases must share for a match: family name and birth date, or an identifier."""
CERTAIN = ("person", "identifier")
"""What a report must share with a case of the unit's own to be refused: the given name too."""

_LOCK = text("SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(:locks AS bigint[])) AS l (n)")
_NOTE = text("""
INSERT INTO child_key (case_id, message_id, kind, key)
SELECT CAST(:case AS uuid), CAST(:message AS uuid), kind, key
FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS bytea[])) AS k (kind, key)
ON CONFLICT DO NOTHING
""")
_MATCH = text("""
WITH found AS (
    SELECT DISTINCT ON (k.case_id) k.case_id, k.message_id
    FROM child_key k JOIN cases c ON c.id = k.case_id
    WHERE k.key = ANY(CAST(:keys AS bytea[])) AND k.case_id <> :case
        AND c.status = :status AND c.closed_at IS NULL
    ORDER BY k.case_id, k.message_id DESC
)
INSERT INTO match (id, one_case_id, other_case_id, status, one_message_id, other_message_id,
    opened_at)
SELECT gen_random_uuid(), least(case_id, CAST(:case AS uuid)), greatest(case_id, CAST(:case AS uuid)),
    :status,
    CASE WHEN case_id < :case THEN message_id ELSE CAST(:message AS uuid) END,
    CASE WHEN case_id < :case THEN CAST(:message AS uuid) ELSE message_id END, :at
FROM found
ON CONFLICT (one_case_id, other_case_id) DO NOTHING RETURNING id
""")
_KNOWN = text("""
SELECT c.reference FROM child_key k JOIN cases c ON c.id = k.case_id
JOIN party p ON p.case_id = c.id AND p.sees = 'full' AND p.unit_id = ANY(:units)
WHERE k.key = ANY(CAST(:keys AS bytea[])) AND c.status = :status AND c.closed_at IS NULL
ORDER BY c.id DESC LIMIT 1
""")


def keys_of(
    vault: Vault, status: str, words: Iterable[tuple[str, str]]
) -> dict[bytes, str]:  # fmt: skip
    """Return the keys of kinds and words; those of an exercise are never those of an actual case."""
    return {vault.blind(kind, status, word): kind for kind, word in words}


def own_key(vault: Vault, status: str, organisation_id: UUID, reference: str) -> bytes:
    """Return the key of an organisation's own case number."""
    number = likeness.own_reference(reference)
    return vault.blind("own-reference", status, str(organisation_id), number)


def searched(
    vault: Vault, status: str, family: str | None, born: date | None, identifier: str | None
) -> list[bytes]:
    """Return the keys by which a child is searched for."""
    words = likeness.of_child(family, None, born, [identifier] if identifier else [])
    return list(keys_of(vault, status, words))


def _of_child(vault: Vault, status: str, body: Contract) -> dict[bytes, str]:
    child = getattr(body, "child", None)
    if not isinstance(child, Child):
        return {}
    words = likeness.of_child(
        child.family_name, child.given_name, child.date_of_birth,
        [one.line for one in child.identifiers or ()],
    )  # fmt: skip
    return keys_of(vault, status, words)


def note(
    session: Session, vault: Vault, case: CaseState, message_id: UUID, body: Contract, *,
    organisation_id: UUID, reference: str | None,
) -> list[UUID]:  # fmt: skip
    """Keep what a message's case can be found by, and match it with other open cases of the child.

    Returns the new matches.
    """
    keys = _of_child(vault, case.status, body)
    matching = sorted(key for key, kind in keys.items() if kind in SAME_CHILD)
    if matching:
        hold(session, matching)
    if reference and likeness.own_reference(reference):
        keys[own_key(vault, case.status, organisation_id, reference)] = "own-reference"
    if not keys:
        return []
    session.execute(
        _NOTE,
        {
            "case": case.id, "message": message_id, "kinds": list(keys.values()),
            "keys": list(keys),
        },
    )  # fmt: skip
    return _match(session, matching, case, message_id) if matching else []


def _match(session: Session, keys: list[bytes], case: CaseState, message_id: UUID) -> list[UUID]:
    """Match a case with every other open one that has one of the keys; both sides are mailed."""
    values = {"case": case.id, "message": message_id, "status": case.status, "at": case.at}
    found = list(session.scalars(_MATCH, {"keys": keys, **values}))
    for match in found:
        outbox.enqueue(session, MATCH_JOB, match, now=case.at)
    return found


def again(session: Session, case: CaseState) -> None:
    """Match a case that is opened again, by what it was found by before; what is open is owed."""
    rows = session.execute(
        text("""SELECT key, max(message_id::text)::uuid AS message_id FROM child_key
            WHERE case_id = :case AND kind = ANY(:kinds) GROUP BY key ORDER BY key"""),
        {"case": case.id, "kinds": list(SAME_CHILD)},
    ).all()
    hold(session, [row.key for row in rows])
    for row in rows:
        _match(session, [row.key], case, row.message_id)
    matches = text("SELECT match_id FROM match_side WHERE case_id = :case")
    match_clocks.start(session, list(session.scalars(matches, {"case": case.id})), case.at)


def hold(session: Session, keys: Iterable[bytes]) -> None:
    """Hold keys until the commit, so that of two cases with one of them the later finds the earlier."""
    locks = {int.from_bytes(key[:8], "big", signed=True) for key in keys}
    session.execute(_LOCK, {"locks": sorted(locks)})


def hold_of(session: Session, case_id: UUID) -> None:
    """Hold the keys of a case, which is to go on as another."""
    found = session.scalars(
        text("SELECT key FROM child_key WHERE case_id = :case AND kind = ANY(:kinds)"),
        {"case": case_id, "kinds": list(SAME_CHILD)},
    )
    hold(session, found)


def known_case(
    session: Session, vault: Vault, actor: Actor, status: str, body: Contract
) -> str | None:
    """Return the reference of an open case of this very child that the unit sees whole, if any."""
    keys = [key for key, kind in _of_child(vault, status, body).items() if kind in CERTAIN]
    if not keys:
        return None
    found: str | None = session.scalar(
        _KNOWN, {"keys": keys, "units": list(actor.unit_ids), "status": status}
    )
    return found
