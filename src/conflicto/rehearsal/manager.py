"""All rehearsals of this process: begin, look, and strike."""

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
"""Scripted participants that are removed in one transaction, with all that they said."""

RETRY_AFTER_S = 30

log = structlog.get_logger(__name__)


class Rehearsals:
    """Plays rehearsals, one in each session. Who is scripted stands in the database; who plays on, here alone. The event loop's alone."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._running: dict[int, tuple[Simulation, asyncio.Task[None]]] = {}

    async def start(self, session_id: int, *, bots: int, seconds: int, language: str) -> None:
        """Let so many people come and play for so long; a rehearsal that was begun goes on by itself.

        Raises:
            NotFound: there is no such session.
            SessionCompleted: it is over.
            RehearsalThere: scripted participants are in it, or on their way.
            TooManyRehearsals: this process plays as many as it may.
        """
        await self._context.db.read(_require_no_bots, session_id)
        if session_id in self._running:
            raise RehearsalExists
        if len(self._running) >= MAX_REHEARSALS:
            raise TooManyRehearsals(retry_after_s=RETRY_AFTER_S)
        chance = Random(opaque_secret())  # noqa: S311 - a play
        troupe = Simulation(self._context, session_id, bots=bots, seconds=seconds, language=language, rng=chance)
        task = asyncio.create_task(troupe.run())
        self._running[session_id] = troupe, task
        task.add_done_callback(lambda done: self._on_done(session_id, done))

    async def status(self, session_id: int) -> tuple[int, bool, list[UUID]]:
        """Return how many scripted participants are in a session, whether they play on here, and where they know nothing to say.

        Raises:
            NotFound: there is no such session.
        """
        seated = await self._context.db.read(_count_bots, session_id)
        playing = self._running.get(session_id)
        return seated, playing is not None, playing[0].skipped if playing else []

    async def stop(self, session_id: int) -> None:
        """End a session's rehearsal and remove its participants with all that they answered; nothing is left to be told apart.

        Raises:
            NotFound: there is no such session.
        """
        await self._context.db.read(session_by_id, session_id)
        playing = self._running.get(session_id)
        if playing is not None:
            playing[1].cancel()
            await asyncio.gather(playing[1], return_exceptions=True)
        while await self._context.writer.run(session_id, erase_scripted, session_id, MAX_BOTS_PER_REMOVAL):
            pass

    def close(self) -> None:
        """Let nobody play on; who has a seat keeps it."""
        for _, task in self._running.values():
            task.cancel()

    def _on_done(self, session_id: int, task: asyncio.Task[None]) -> None:
        self._running.pop(session_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("rehearsal-failed", session_id=session_id, exc_info=task.exception())


def _require_no_bots(tx: ReadTx, session_id: int) -> None:
    require_open(session_by_id(tx, session_id))
    if scripted_seats(tx, session_id, most=1):
        raise RehearsalExists


def _count_bots(tx: ReadTx, session_id: int) -> int:
    session_by_id(tx, session_id)
    return sum(not each.deleted for each in scripted_seats(tx, session_id, most=MAX_BOTS))
