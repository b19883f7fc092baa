"""What a session is, and its lifecycle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from conflicto.platform.ids import letters
from conflicto.sessions.errors import SessionCompleted, TransitionNotAllowed
from conflicto.sessions.word_filter import NO_FILTER, WordFilter

if TYPE_CHECKING:
    from uuid import UUID

CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""20 letters without vowels or look-alikes (RFC 8628 §6.1): no words, no O/0 or I/1."""

CODE_LENGTH = 8
"""20^8 codes are 34.6 bits: 17.7 million guesses for an even chance to hit any of 1,000 live sessions."""


class SessionStatus(StrEnum):
    """Where a session stands in its lifecycle."""

    DRAFT = "draft"
    ACTIVE = "active"
    COMPLETED = "completed"


class Overlay(StrEnum):
    """What covers the screen for a while, whatever else it shows: the way in, nothing at all, who leads, or who is here."""

    JOIN = "join"
    BLACK = "black"
    LEADERBOARD = "leaderboard"
    NAMES = "names"


STEPS: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.DRAFT: frozenset({SessionStatus.ACTIVE}),
    SessionStatus.ACTIVE: frozenset({SessionStatus.COMPLETED}),
    SessionStatus.COMPLETED: frozenset(),
}
"""The whole lifecycle: from each status the ones that may follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One live event. Instants are feed timestamps, µs since 1970 UTC."""

    id: int
    title: str
    description: str | None
    status: SessionStatus
    join_code: str
    max_participants: int | None
    locked: bool
    current_activity_id: UUID | None
    shown_activity_id: UUID | None
    overlay: Overlay | None
    token_version: int
    revision: int
    deleted: bool
    created_ts: int
    updated_ts: int
    word_filter: WordFilter = NO_FILTER

    @property
    def shows_names(self) -> bool:
        """Whether screens may tell who is here: for as long as a host covers them with it."""
        return self.overlay is Overlay.NAMES and self.status is not SessionStatus.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One line of a session's audit: who moved what from where to where, why and when. `actor` is a token's subject or `system`."""

    number: int
    actor: str
    entity: str
    entity_id: str
    from_status: str | None
    to_status: str
    reason: str | None
    at_us: int


def step(now: SessionStatus, to: SessionStatus) -> SessionStatus:
    """Return `to` if the lifecycle allows it; staying is allowed and changes nothing.

    Raises:
        TransitionNotAllowed: there is no such step; names those that there are.
    """
    if to != now and to not in STEPS[now]:
        raise TransitionNotAllowed(extensions={"from": now, "to": to, "allowed": sorted(STEPS[now])})
    return to


def require_open(session: Session) -> None:
    """Refuse changes of a completed session.

    Raises:
        SessionCompleted: the session is over.
    """
    if session.status is SessionStatus.COMPLETED:
        raise SessionCompleted


def new_code() -> str:
    """Return a random join code of 8 letters."""
    return letters(CODE_ALPHABET, CODE_LENGTH)


def shown_code(code: str) -> str:
    """Return a code as people read it: `BCDFGHJK` → `BCDF-GHJK`."""
    return f"{code[:4]}-{code[4:]}"


def normalised_code(typed: str) -> str | None:
    """Return the code that a person meant, in any case and with any separators, or None if it cannot be one.

    >>> normalised_code("bcdf ghjk")
    'BCDFGHJK'
    """
    if len(typed) > CODE_LENGTH * 4:
        return None
    code = "".join(letter for letter in typed.upper() if letter.isalnum())
    return code if len(code) == CODE_LENGTH and all(letter in CODE_ALPHABET for letter in code) else None
