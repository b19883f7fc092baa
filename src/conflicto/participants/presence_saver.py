"""Background task that stores presence in batches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from conflicto.participants.commands.seats import save_last_seen
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from conflicto.participants.presence import Presence
    from conflicto.platform.db.writer import Writer

SAVE_INTERVAL_S = 10.0

log = structlog.get_logger(__name__)


async def run_presence_saver(presence: Presence, writer: Writer) -> None:
    """Store signs of life every 10 s until cancelled."""
    while True:
        await asyncio.sleep(SAVE_INTERVAL_S)
        await save_presence(presence, writer)


async def save_presence(presence: Presence, writer: Writer) -> None:
    """Store the signs of life since the last batch; a database failure loses one batch."""
    seen = presence.pop_unsaved()
    if seen:
        try:
            await writer.run((), save_last_seen, seen)
        except DomainError as error:
            log.warning("presence-not-saved", code=error.code, participants=len(seen))
