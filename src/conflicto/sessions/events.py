"""Events of sessions.

Other packages subscribe inside the transaction, or follow in memory after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.access.links import Link
    from conflicto.sessions.model import Session


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The session in its present state, also when created or deleted."""

    session: Session

    @property
    def session_id(self) -> int:
        """The session's id."""
        return self.session.id

    def deletes(self) -> tuple[str, list[int]]:
        """Return the session if it was deleted."""
        return "sessions", [self.session.id] if self.session.deleted else []


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """`actor` completed the session; its running activities must end in the same transaction."""

    session: Session
    actor: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A link in its present state: new, renamed or revoked."""

    link: Link

    @property
    def session_id(self) -> int:
        """The id of the link's session."""
        return self.link.session_id
