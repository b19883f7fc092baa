"""Model of participants."""

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
