"""The rehearsals of one process: start, status and stop."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import structlog

from conflicto.participants.commands.seats import erase_scripted
from conflicto.participants.queries import scripted_seats
from conflicto.platform.ids import opaque_secret
from conflicto.rehearsal.errors import RehearsalExists, TooManyRehearsals
from conflicto.rehearsal.simulation import Context, Simulation
from conflicto.sessions.model import require_open
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.platform.db.transaction import ReadTx

MAX_BOTS = 200
MAX_REHEARSALS = 20

MAX_BOTS_PER_REMOVAL = 25
"""Scripted participants that one transaction removes together with their answers."""

RETRY_AFTER_S = 30

log = structlog.get_logger(__name__)


class Rehearsals:
    """Runner of at most one rehearsal per session.

    The database stores which participants are scripted. This process alone knows its simulations.
    Not thread-safe: use it from the event loop only.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: dict[int, tuple[Simulation, asyncio.Task[None]]] = {}

    async def start(self, session_id: int, *, bots: int, seconds: int, language: str) -> None:
        """Start a rehearsal as a background task that runs for `seconds`.

        Raises:
            NotFound: the session does not exist.
            SessionCompleted: the session is over.
            RehearsalExists: the session has scripted participants, or bots are joining it.
            TooManyRehearsals: this process runs `MAX_REHEARSALS` already.
        """
        await self._context.db.read(_require_no_bots, session_id)
        if session_id in self._running:
            raise RehearsalExists
        if len(self._running) >= MAX_REHEARSALS:
            raise TooManyRehearsals(retry_after_s=RETRY_AFTER_S)
        rng = Random(opaque_secret())  # noqa: S311 - a simulation
        simulation = Simulation(self._context, session_id, bots=bots, seconds=seconds, language=language, rng=rng)
        task = asyncio.create_task(simulation.run())
        self._running[session_id] = simulation, task
        task.add_done_callback(lambda done: self._on_done(session_id, done))

    async def status(self, session_id: int) -> tuple[int, bool, list[UUID]]:
        """Return the number of scripted participants, whether they answer, and what they skip.

        The skipped activities are given by id.

        Raises:
            NotFound: the session does not exist.
        """
        bots = await self._context.db.read(_count_bots, session_id)
        running = self._running.get(session_id)
        return bots, running is not None, running[0].skipped if running else []

    async def stop(self, session_id: int) -> None:
        """Stop a session's rehearsal and remove its participants with all their answers.

        Raises:
            NotFound: the session does not exist.
        """
        await self._context.db.read(session_by_id, session_id)
        running = self._running.get(session_id)
        if running is not None:
            running[1].cancel()
            await asyncio.gather(running[1], return_exceptions=True)
        while await self._context.writer.run(session_id, erase_scripted, session_id, MAX_BOTS_PER_REMOVAL):
            pass

    def close(self) -> None:
        """Cancel all simulations; bots keep their seats."""
        for _, task in self._running.values():
            task.cancel()

    def _on_done(self, session_id: int, task: asyncio.Task[None]) -> None:
        self._running.pop(session_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("rehearsal-failed", session_id=session_id, exc_info=task.exception())


def _require_no_bots(tx: ReadTx, session_id: int) -> None:
    require_open(session_by_id(tx, session_id))
    if scripted_seats(tx, session_id, limit=1):
        raise RehearsalExists


def _count_bots(tx: ReadTx, session_id: int) -> int:
    session_by_id(tx, session_id)
    return sum(not seat.deleted for seat in scripted_seats(tx, session_id, limit=MAX_BOTS))
