"""Events of other packages that change activities in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.commands.run import expire_with_session
from conflicto.sessions.events import SessionEnded

if TYPE_CHECKING:
    from conflicto.platform.event_bus import EventBus


def subscribe(bus: EventBus) -> None:
    """Expire the running activities of a session with it."""
    bus.subscribe_in_transaction(SessionEnded, expire_with_session)
