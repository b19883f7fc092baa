"""Roles, callers, and the sets of roles that routes declare."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.access.links import Scope


class Role(StrEnum):
    """Role of a token."""

    ADMIN = "admin"
    HOST = "host"
    SCREEN = "screen"
    PARTICIPANT = "participant"
    METRICS = "metrics"
    """Role of Prometheus, which may read `/metrics` only."""


ANYONE: frozenset[Role] = frozenset()
"""Routes without a token."""

ADMIN = frozenset({Role.ADMIN})
HOSTS = frozenset({Role.ADMIN, Role.HOST})
METRICS_READERS = frozenset({Role.ADMIN, Role.METRICS})
OPERATORS = (ADMIN, METRICS_READERS)
"""Sets of roles outside any session."""

MEMBERS = frozenset(Role) - {Role.METRICS}
PARTICIPANTS = frozenset({Role.PARTICIPANT})
HOSTS_AND_PARTICIPANTS = HOSTS | PARTICIPANTS
HOSTS_AND_SCREENS = HOSTS | {Role.SCREEN}


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: a role, the token's subject, and its session and seat (None for the admin).

    `link` is the id of the link behind a host's or a screen's token, and `scope` is its scope.
    In seconds since 1970 UTC, `end_s` is the absolute end of the token and all renewals, and
    `expires_s` the end of what this token opens. The same caller may have several tokens.
    """

    role: Role
    subject: str
    session_id: int | None = None
    participant_id: int | None = None
    link: UUID | None = None
    scope: Scope | None = None
    end_s: int | None = None
    expires_s: int | None = field(default=None, compare=False)

    @property
    def is_host(self) -> bool:
        """True if the caller has the rights of a host. The operator has them everywhere."""
        return self.role in HOSTS
