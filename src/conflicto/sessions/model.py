"""What a session is, and its lifecycle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from conflicto.access.code_guard import SERVER_POLICY
from conflicto.platform.ids import letters
from conflicto.sessions.errors import SessionCompleted, TransitionNotAllowed
from conflicto.sessions.word_filter import NO_FILTER, WordFilter

if TYPE_CHECKING:
    from uuid import UUID

CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""20 letters without vowels or look-alikes (RFC 8628 §6.1): no words, no O/0 or I/1."""

CODE_GROUPS = {8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4)}
"""How codes of each length are shown, so that people read and type them in groups."""

MIN_CODE_LENGTH, MAX_CODE_LENGTH = min(CODE_GROUPS), max(CODE_GROUPS)

MIN_GUESSING_TIME_S = 365.25 * 86_400
"""Hitting any open session takes longer than this on average, if wrong codes are tried as fast as the server allows them."""


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


def require_step(now: SessionStatus, to: SessionStatus) -> SessionStatus:
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


def max_open_sessions(length: int) -> int:
    """Return for how many open sessions codes of a length suffice: 48 for 8 letters, 973 for 9, 19,469 for 10."""
    return int(len(CODE_ALPHABET) ** length / (MIN_GUESSING_TIME_S / SERVER_POLICY.interval_s))


def code_length(open_sessions: int) -> int:
    """Return how many letters a new code has while so many sessions are open, its own included; never more than the longest."""
    return next((length for length in CODE_GROUPS if open_sessions <= max_open_sessions(length)), MAX_CODE_LENGTH)


def new_code(length: int) -> str:
    """Return a random join code."""
    return letters(CODE_ALPHABET, length)


def format_code(code: str) -> str:
    """Return a code as people read it: `BCDFGHJK` → `BCDF-GHJK`, `BCDFGHJKLM` → `BCD-FGH-JKLM`."""
    ends = list(accumulate(CODE_GROUPS[len(code)], initial=0))
    return "-".join(code[start:end] for start, end in pairwise(ends))


def normalize_code(typed: str) -> str | None:
    """Return the code that a person meant, in any case and with any separators, or None if it cannot be one.

    >>> normalize_code("bcdf ghjk")
    'BCDFGHJK'
    """
    if len(typed) > MAX_CODE_LENGTH * 4:
        return None
    code = "".join(letter for letter in typed.upper() if letter.isalnum())
    return code if len(code) in CODE_GROUPS and all(letter in CODE_ALPHABET for letter in code) else None
