"""Who is acting, as far as permission goes."""

from dataclasses import dataclass
from uuid import UUID

from hub.records.audit import Who

PASS = "directory-pass"  # noqa: S105  # a kind of actor


@dataclass(frozen=True)
class Actor:
    """A person, partner system, guest, the system itself, or nobody in particular.

    `kind` is person, client, guest, system, public, or directory-pass: somebody who signed in
    earlier, known by their pass alone while the database is away, whose `scopes` are the audiences
    that they may read and who has no role. `unit_id` is the unit acted for, `unit_ids`
    that one and every unit below it. `status` is actual, exercise or test; None (a client) is any.
    """

    kind: str
    id: UUID | None = None
    name: str = ""
    rank_or_role: str | None = None
    collar_number: str | None = None
    organisation_id: UUID | None = None
    organisation_code: str = ""
    organisation_name: str = ""
    organisation_kind: str = ""
    unit_id: UUID | None = None
    unit_name: str = ""
    unit_ids: frozenset[UUID] = frozenset()
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    status: str | None = "actual"
    session_id: UUID | None = None

    @property
    def signed_in(self) -> bool:
        """Whether this is anybody."""
        return self.kind not in ("public",)

    @property
    def police(self) -> bool:
        """Whether they act for a police service."""
        return self.organisation_kind == "police"

    @property
    def who(self) -> Who:
        """As the audit record names them."""
        return Who(
            self.kind, self.id, self.name, self.organisation_id, self.unit_id, self.session_id
        )


PUBLIC = Actor("public")
