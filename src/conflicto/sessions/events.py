"""What happened to a session, for rooms that must follow: inside the transaction by subscription, in memory after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.access.links import Link
    from conflicto.sessions.model import Session


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The session as it is now, new ones and deleted ones included."""

    session: Session

    def deletes(self) -> tuple[str, list[int]]:
        """Return the session if it was deleted."""
        return "sessions", [self.session.id] if self.session.deleted else []


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session was completed by `actor`; whatever still runs in it must end in the same transaction."""

    session: Session
    actor: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A link as it is now: new, renamed or revoked."""

    link: Link
