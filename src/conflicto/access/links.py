"""Links: the grants behind host and screen tokens, each with a scope, a name and an end, and revoked one by one.

A token names its link in `jti`; what the link may do is looked up here, never read from the token. A new kind of link is an entry in
`SCOPES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from conflicto.access.roles import Caller, Role

MAX_LINKS_PER_SESSION = 200
"""Links of a session that are alive, or whose tokens could still be tried."""

MAX_LINK_NAME_LENGTH = 100
"""Characters."""


class Scope(StrEnum):
    """Kinds of links."""

    OWNER = "owner"
    HOST = "host"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """The role of a scope's tokens, and the scopes that make, rename and revoke its links; the operator always may."""

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
    """One grant. Instants are µs since 1970 UTC; `changed_ts` is the position in the session's feed of the newest change."""

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
    """Return the link of all tokens of a session and role that were issued before links existed: a UUID of version 8."""
    return UUID(fields=(1 if role is Role.HOST else 2, 0, 0x8000, 0x80, 0, session_id))


def legacy_scope(role: Role) -> Scope:
    """Return the scope of tokens that were issued before links existed: every host could do what owners can today."""
    return Scope.OWNER if role is Role.HOST else Scope(role)


def may_manage(caller: Caller, scope: Scope) -> bool:
    """Return whether a caller may make, rename and revoke links of a scope."""
    return caller.role is Role.ADMIN or caller.scope in SCOPES[scope].managed_by
