"""Idleness of sessions: those that nobody uses need not stay in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from conflicto.session_state.state import SessionState

MAX_IDLE_TICKS, MAX_IDLE_TICKS_COMPLETED = 30, 6
"""Ticks of age for which an unused session stays: 5 minutes, and 1 minute after its completion."""


def age(state: SessionState) -> bool:
    """Count a tick of a session's age. Return whether it is idle.

    Polls from the fast path, streams and long-polls are uses; so are reads and commits, which set
    `idle_ticks` themselves.
    """
    if state.responses.pop_was_read() or any(each.has_subscribers for each in state.notifiers.values()):
        state.idle_ticks = 0
        return False
    state.idle_ticks += 1
    is_over = state.session.status is SessionStatus.COMPLETED
    return state.idle_ticks > (MAX_IDLE_TICKS_COMPLETED if is_over else MAX_IDLE_TICKS)
