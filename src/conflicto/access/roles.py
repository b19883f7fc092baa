"""Roles, callers, and the sets of roles that routes declare."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.access.links import Scope


class Role(StrEnum):
    """What a token lets its bearer be."""

    ADMIN = "admin"
    HOST = "host"
    SCREEN = "screen"
    PARTICIPANT = "participant"
    METRICS = "metrics"
    """Reads `/metrics`, nothing else: Prometheus."""


ANYONE: frozenset[Role] = frozenset()
"""No token is asked for."""

ADMIN = frozenset({Role.ADMIN})
HOSTS = frozenset({Role.ADMIN, Role.HOST})
METRICS_READERS = frozenset({Role.ADMIN, Role.METRICS})
OPERATORS = (ADMIN, METRICS_READERS)
"""Sets of roles none of which belongs to a session."""

MEMBERS = frozenset(Role) - {Role.METRICS}
PARTICIPANTS = frozenset({Role.PARTICIPANT})
HOSTS_AND_PARTICIPANTS = HOSTS | PARTICIPANTS
HOSTS_AND_SCREENS = HOSTS | {Role.SCREEN}


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: a role, the token's subject, and the session and seat that it belongs to (none for the admin).

    `link` is the id of the link behind a host's or a screen's token, `scope` what it grants, and `end_s` the second since 1970 after
    which no renewal of the token is good.
    """

    role: Role
    subject: str
    session_id: int | None = None
    participant_id: int | None = None
    link: UUID | None = None
    scope: Scope | None = None
    end_s: int | None = None

    @property
    def is_host(self) -> bool:
        """Whether the caller sees and does what hosts do; the operator is a host everywhere."""
        return self.role in HOSTS
