"""Model of participants and reserved places."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PARTICIPANTS = 50_000
"""Seats of a session without a limit of its own; presence and names stay in memory."""

FIRST_VERSION = 1
"""Token version of a seat that was never moved or left."""

SEAT_LINK_LIFETIME_S = 600
"""Lifetime of a seat link: enough to pick up another phone, too short for a leaked photo."""


MAX_SHOWN_NAMES = 60
"""Names on a screen in letters that a hall can read."""


MAX_LEAVERS_READ = 5_000
"""People who left during open rounds and are checked one by one; beyond it, all places count as
taken.
"""


@dataclass(frozen=True, slots=True)
class ReservedPlaces:
    """Places reserved for people who left, which count towards the session's limit.

    `counted` have an answer in an open round; hosts see their number. `uncounted` left while an
    anonymous round was open, with or without an answer. So neither the number nor a rejection
    reveals who answered. `is_full`: more people left than are checked.
    """

    counted: frozenset[int] = frozenset()
    uncounted: frozenset[int] = frozenset()
    is_full: bool = False

    @property
    def count(self) -> int:
        """Number of reserved places."""
        return len(self.counted | self.uncounted)


NO_RESERVED_PLACES = ReservedPlaces()


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodFilter:
    """Filter of participants by joining time and name; None: any.

    They joined at `since_ts` or later, and their name key holds `key_part`.
    """

    since_ts: int | None
    key_part: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """An anonymous person in one session.

    `*_ts` are feed timestamps, `last_seen_us` is wall time, all in µs. `nickname_key` is unique in
    the session (None once the name is free). `token_version` grows when the seat moves to another
    phone. `scripted` participants belong to a rehearsal.
    """

    id: int
    session_id: int
    nickname: str
    nickname_key: str | None
    token_version: int
    last_seen_us: int
    revision: int
    deleted: bool
    scripted: bool
    created_ts: int
    updated_ts: int
