"""Background task that stores presence in batches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from conflicto.participants.commands.seats import save_last_seen
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from conflicto.platform.db.writer import Writer
    from conflicto.session_state.presence import Presence

SAVE_INTERVAL_S = 10.0

log = structlog.get_logger(__name__)


class PresenceSaver:
    """Stores signs of life in batches, one every 10 s."""

    def __init__(self, presence: Presence, writer: Writer) -> None:
        self._presence = presence
        self._writer = writer

    async def run(self) -> None:
        """Store batches until cancelled."""
        while True:
            await asyncio.sleep(SAVE_INTERVAL_S)
            await self.save()

    async def save(self) -> None:
        """Store the signs of life since the last batch; a database failure loses one batch."""
        seen = self._presence.pop_unsaved()
        if seen:
            try:
                await self._writer.run((), save_last_seen, seen)
            except DomainError as error:
                log.warning("presence-not-saved", code=error.code, participants=len(seen))
