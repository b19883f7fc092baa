"""What a participant is."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PARTICIPANTS = 50_000
"""Seats of a session whose host set no limit: what one process was built to keep presence and names of."""

FIRST_VERSION = 1
"""Token version of a seat that was neither moved nor left since its phone joined."""

SEAT_LINK_LIFE_S = 600
"""Long enough to find the other phone, short enough that a photo of the link is worthless tomorrow."""


MAX_SHOWN_NAMES = 60
"""As many as a screen has room for in letters that a hall can read."""


MAX_LEAVERS_READ = 5_000
"""People who left during the open rounds that are looked at one by one; where there are more, every place is taken."""


@dataclass(frozen=True, slots=True)
class ReservedPlaces:
    """People who left and keep their places against the session's limit.

    `told` hold an answer in an open round, and hosts read their number. `untold` left while an anonymous round was open, whether or not
    they had answered, so that neither their number nor a refusal says who did. `is_full`: too many left to tell.
    """

    counted: frozenset[int] = frozenset()
    uncounted: frozenset[int] = frozenset()
    is_full: bool = False

    @property
    def count(self) -> int:
        """The number of places."""
        return len(self.counted | self.uncounted)


NO_RESERVED_PLACES = ReservedPlaces()


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodFilter:
    """Those who joined at `since_ts` or later, and whose name's key holds `part`; None asks for nothing."""

    since_ts: int | None
    key_part: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One anonymous person in one session. `*_ts` are feed timestamps, `last_seen_us` is wall time, all µs since 1970 UTC.

    `nickname_key` is what must be unique (None once the name is free again); `token_version` rises when the seat changes hands. Those
    who are `scripted` belong to a rehearsal.
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
