"""Sessions, their audit and their lifecycle, as pure data and functions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, pairwise
from uuid import UUID

from conflicto.access.code_guard import SERVER_POLICY
from conflicto.platform.ids import random_letters
from conflicto.platform.instants import S_PER_DAY
from conflicto.sessions.errors import SessionCompleted, TransitionNotAllowed
from conflicto.sessions.word_filter import NO_FILTER, WordFilter

CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""20 letters without vowels or look-alikes (RFC 8628 §6.1): no words, no O/0 or I/1."""

CODE_GROUPS = {8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4)}
"""Letters per group for each length of code, to make codes readable."""

MAX_CODE_LENGTH = max(CODE_GROUPS)

MAX_CACHED_CODES = 1_024
"""Number of typed codes that are not normalized again: a hall types one."""

MIN_GUESSING_TIME_S = 365.25 * S_PER_DAY
"""Average time to hit any open session with wrong codes at the full rate limit, at least."""


class SessionStatus(StrEnum):
    """Steps of a session's lifecycle."""

    DRAFT = "draft"
    ACTIVE = "active"
    COMPLETED = "completed"


class Overlay(StrEnum):
    """Overlays of the screen: how to join, black, the leaderboard, or names of participants."""

    JOIN = "join"
    BLACK = "black"
    LEADERBOARD = "leaderboard"
    NAMES = "names"


STEPS: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.DRAFT: frozenset({SessionStatus.ACTIVE}),
    SessionStatus.ACTIVE: frozenset({SessionStatus.COMPLETED}),
    SessionStatus.COMPLETED: frozenset(),
}
"""The whole lifecycle: the next possible statuses of each status."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """Properties of a session that its host chooses; a copy has the same ones."""

    title: str
    subtitle: str | None = None
    description: str | None = None
    max_participants: int | None = None
    word_filter: WordFilter = NO_FILTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One live event. Instants are feed timestamps, µs since 1970 UTC."""

    id: int
    title: str
    subtitle: str | None = None
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
        """True if screens may show nicknames: only while a host shows that overlay."""
        return self.overlay is Overlay.NAMES and self.status is not SessionStatus.COMPLETED


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One line of a session's audit. `actor` is a token's subject or `system`."""

    number: int
    actor: str
    entity: str
    entity_id: str
    from_status: str | None
    to_status: str
    reason: str | None
    at_us: int


def require_step(now: SessionStatus, to: SessionStatus) -> SessionStatus:
    """Return `to` if the lifecycle allows it; the present status is allowed and changes nothing.

    Raises:
        TransitionNotAllowed: the lifecycle has no such step; names the allowed ones.
    """
    if to != now and to not in STEPS[now]:
        raise TransitionNotAllowed(extensions={"from": now, "to": to, "allowed": sorted(STEPS[now])})
    return to


def require_open(session: Session) -> None:
    """Refuse changes of a completed session.

    Raises:
        SessionCompleted: the session is completed.
    """
    if session.status is SessionStatus.COMPLETED:
        raise SessionCompleted


def max_open_sessions(length: int) -> int:
    """Return the limit of open sessions for a code length.

    It is 48 for 8 letters, 973 for 9, 19,469 for 10.
    """
    return int(len(CODE_ALPHABET) ** length / (MIN_GUESSING_TIME_S / SERVER_POLICY.interval_s))


def code_length(open_sessions: int) -> int:
    """Return the length of a new code for a number of open sessions, its own included."""
    return next((length for length in CODE_GROUPS if open_sessions <= max_open_sessions(length)), MAX_CODE_LENGTH)


def new_code(length: int) -> str:
    """Return a random join code."""
    return random_letters(CODE_ALPHABET, length)


def format_code(code: str) -> str:
    """Return a code in groups: `BCDFGHJK` → `BCDF-GHJK`, `BCDFGHJKLM` → `BCD-FGH-JKLM`."""
    ends = list(accumulate(CODE_GROUPS[len(code)], initial=0))
    return "-".join(code[start:end] for start, end in pairwise(ends))


def normalize_code(typed: str) -> str | None:
    """Return the code in `typed`, in any case and with any separators, or None if it is invalid.

    >>> normalize_code("bcdf ghjk")
    'BCDFGHJK'
    """
    return _normalize(typed) if len(typed) <= MAX_CODE_LENGTH * 4 else None


@lru_cache(maxsize=MAX_CACHED_CODES)
def _normalize(typed: str) -> str | None:
    code = "".join(letter for letter in typed.upper() if letter.isalnum())
    return code if len(code) in CODE_GROUPS and all(letter in CODE_ALPHABET for letter in code) else None
