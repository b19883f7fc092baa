"""Who was here when: kept in memory, written in one batch every few seconds. Being seen is not a change of the feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock

ONLINE_S = 30
IDLE_S = 120
"""A phone polls every 2 s: 15 missed polls are a dead spot, a minute of them a pocket."""

MOST_REMEMBERED = 500_000
"""Participants kept in memory, about 100 bytes each; the oldest are dropped, their last batch is stored."""

US_PER_S = 1_000_000


class Presence:
    """Last-seen times of one process. Not thread-safe: the event loop's alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[int, int] = {}
        self._unsaved: dict[int, int] = {}

    def note(self, participant_id: int) -> None:
        """Take any request of a participant as a sign of life."""
        now = self._clock.wall_us()
        self._seen[participant_id] = now
        self._unsaved[participant_id] = now

    def take_unsaved(self) -> dict[int, int]:
        """Return what was noted since the last call (id → wall µs)."""
        unsaved, self._unsaved = self._unsaved, {}
        if len(self._seen) > MOST_REMEMBERED:
            newest = sorted(self._seen.items(), key=lambda item: item[1])[-MOST_REMEMBERED // 2 :]
            self._seen = dict(newest)
        return unsaved

    def last_seen_us(self, participant_id: int, stored_us: int) -> int:
        """Return when someone was last seen: here, or at another worker as far as it was stored."""
        return max(self._seen.get(participant_id, 0), stored_us)

    def state(self, last_seen_us: int) -> str:
        """Return `online` below 30 s of silence, `idle` below 2 min, else `disconnected`."""
        silence_s = (self._clock.wall_us() - last_seen_us) / US_PER_S
        if silence_s < ONLINE_S:
            return "online"
        return "idle" if silence_s < IDLE_S else "disconnected"
