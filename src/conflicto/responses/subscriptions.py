"""Events of other packages that change responses in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.events import RoundClosed
from conflicto.participants.events import ParticipantRemoved
from conflicto.responses.commands.change import erase_responses
from conflicto.responses.commands.release import release_remaining

if TYPE_CHECKING:
    from conflicto.platform.event_bus import EventBus


def subscribe(bus: EventBus) -> None:
    """Erase the responses of removed participants, and release the pool when a round closes."""
    bus.subscribe_in_transaction(ParticipantRemoved, erase_responses)
    bus.subscribe_in_transaction(RoundClosed, release_remaining)
