"""Links: grants behind host and screen tokens, each with a scope, a name and an end.

Links are revoked one by one. A token names its link in `jti`, but its rights come from here. A new
kind of link is an entry in `SCOPES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from conflicto.access.roles import Caller, Role

MAX_LINKS_PER_SESSION = 200
"""Number of links of a session that are valid, or whose tokens are not expired."""

MAX_LINK_NAME_LENGTH = 100
"""Longest name of a link, in characters."""


class Scope(StrEnum):
    """Kinds of links."""

    OWNER = "owner"
    HOST = "host"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """Role of a scope's tokens, and the scopes that manage its links. The operator manages all."""

    role: Role
    managed_by: frozenset[Scope]


SCOPES: dict[Scope, ScopeRule] = {
    Scope.OWNER: ScopeRule(Role.HOST, frozenset({Scope.OWNER})),
    Scope.HOST: ScopeRule(Role.HOST, frozenset({Scope.OWNER, Scope.HOST})),
    Scope.SCREEN: ScopeRule(Role.SCREEN, frozenset({Scope.OWNER, Scope.HOST})),
}
"""Registry of scopes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link.

    Times are in µs since 1970 UTC. `changed_ts` is its newest change in the session's feed.
    """

    id: UUID
    session_id: int
    scope: Scope
    name: str
    creator: str
    created_us: int
    expires_us: int
    revoked_us: int | None
    changed_ts: int

    @property
    def role(self) -> Role:
        """Role of the link's tokens."""
        return SCOPES[self.scope].role


def legacy_link_id(role: Role, session_id: int) -> UUID:
    """Return the link id (UUID version 8) of a session's tokens of a role that predate links."""
    return UUID(fields=(1 if role is Role.HOST else 2, 0, 0x8000, 0x80, 0, session_id))


def legacy_scope(role: Role) -> Scope:
    """Return the scope of tokens that predate links. Every host then had the rights of an owner."""
    return Scope.OWNER if role is Role.HOST else Scope(role)


def may_manage(caller: Caller, scope: Scope) -> bool:
    """Return whether a caller may create, rename and revoke links of a scope."""
    return caller.role is Role.ADMIN or caller.scope in SCOPES[scope].managed_by
