"""A caller of the gateway, and the scopes that say what a caller may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Scope(StrEnum):
    """What a caller may do."""

    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    ADMIN = "admin"
    """Everything, and alone: others' operations, settling steps, addresses of others' data."""


ALL = frozenset(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends a request."""

    id: str
    """Owns operations and idempotency keys: key:NAME, jwt:SUBJECT, or anybody."""
    scopes: frozenset[Scope]
    key: str | None = None
    """The id of the API key, or of the token (its jti); for the audit."""
    expires_at: float | None = None
    """When what let it in ends, in seconds since 1970; None for never."""

    @property
    def is_admin(self) -> bool:
        """Whether it sees what other callers have asked for."""
        return Scope.ADMIN in self.scopes


ANYBODY = Caller(id="anybody", scopes=ALL)
"""Every caller of a gateway that tells none apart."""

NOBODY = Caller(id="nobody", scopes=frozenset())
"""Who is at a WebSocket before it has said who it is."""


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names; admin has the others too, and unknown names mean nothing here."""
    known = frozenset(Scope(name) for name in names if name in ALL)
    return ALL if Scope.ADMIN in known else known
