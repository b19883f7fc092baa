"""Estimate of a session's memory, for the budget of all caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.session_state.state import SessionState

ROW_BYTES = 1_400
"""Size of a response without its text, or of a seat, with its entries in the recent rows."""

STATE_BYTES = 12_000
ACTIVITY_BYTES = 1_200
SEAT_BYTES = 150
"""Sizes of a session state, of an activity or one round's counts, and of one seat's entries."""


def memory_bytes(state: SessionState) -> int:
    """Return the estimated memory of a session in bytes, without its cached responses."""
    activities = (len(state.activities) + len(state.counts)) * ACTIVITY_BYTES
    seats = (len(state.own_timestamps) + len(state.seat_versions) + len(state.departed)) * SEAT_BYTES
    caches = len(state.recent_seats) * ROW_BYTES + state.configs.bytes
    return STATE_BYTES + activities + seats + caches + sum(part.bytes for part in state.parts.values())
