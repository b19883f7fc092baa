"""Weight of a session in memory, for the budget of all caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.feed.views import View
from conflicto.platform.fast_path.view_cache import ViewCache

if TYPE_CHECKING:
    from conflicto.feed.session_state import SessionState
    from conflicto.platform.fast_path.response_cache import ResponseCache

ROW_BYTES = 1_400
"""Of an answer without its text, or a seat, with its places in the tables of recent rows."""

STATE_BYTES = 12_000
ACTIVITY_BYTES = 1_200
SEAT_BYTES = 150
"""Of a session by itself; of an activity, and of the counts of one of its rounds; of what is known of one seat."""


def memory_bytes(head: SessionState) -> int:
    """Return what a session holds in memory, about, without its ready answers."""
    activities = (len(head.activities) + len(head.counts)) * ACTIVITY_BYTES
    seats = (len(head.own_ts_by_participant) + len(head.seats) + len(head.departed)) * SEAT_BYTES
    parts = (
        head.recent.text_bytes
        + len(head.recent) * ROW_BYTES
        + head.configs.bytes
        + head.tallies.bytes
        + head.leaderboard_cache.bytes
        + head.event_cache.bytes
    )
    return STATE_BYTES + activities + seats + parts


def attach_response_cache(head: SessionState, cache: ResponseCache) -> None:
    """Let the ready answers of a session be part of a cache, before there are any."""
    head.made = cache.new_map()
    head.shelves = {view: ViewCache(cache) for view in View}
