"""Segments of large rounds: counted when somebody asks for results, and stored so that the next who ask after a restart need not wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from conflicto.aggregation.spill.database import SpillDatabase
from conflicto.platform.problems import DomainError
from conflicto.results import queries, store
from conflicto.results.queries import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.writer import Writer
    from conflicto.results.queries import Counted, Memory, Round
    from conflicto.results.tally import Basis

MARGIN = 10_000
"""The newest answers of a round, which are likely to change, are left for a later segment."""

log = structlog.get_logger(__name__)


class Segments:
    """Reads rounds, and keeps what was counted of them. The event loop's alone."""

    def __init__(self, db: Database, writer: Writer) -> None:
        self._db = db
        self._writer = writer
        self._keeping: set[asyncio.Task[None]] = set()
        self.spill = SpillDatabase()

    @property
    def is_shared(self) -> bool:
        """Whether other processes may write to the database as well."""
        return self._db.is_shared

    async def close(self) -> None:
        """Remove what was spilled to the disk."""
        await asyncio.to_thread(self.spill.close)

    async def read(self, of: Round, basis: Basis, memory: Memory | None = None) -> Reading:
        """Read a whole round. If the task is cancelled, what was counted until then is kept: the next reading goes on from there.

        Raises:
            NotFound, Unavailable: the session is gone, or the database does not answer.
        """
        reading = Reading(of, basis, memory=memory)
        try:
            while not reading.is_over:
                await self._db.loads.read(reading.step)
                if reading.tally.share > 1:
                    await self.spill.run(reading.tally.detach().store)
        except asyncio.CancelledError:
            self._keep_soon(of, basis, list(reading.fresh))
            raise
        return reading

    def _keep_soon(self, of: Round, basis: Basis, counted: Sequence[Counted]) -> None:
        task = asyncio.create_task(self.keep(of, basis, counted))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def extend(self, of: Round, basis: Basis, after: int) -> Reading:
        """Count one more segment after a position and store it; raises as `read` does."""
        reading = Reading(of, basis, after=after)
        while not (reading.is_over or reading.fresh or reading.tally.share > 1):
            await self._db.loads.read(reading.step)
        await self.keep(of, basis, reading.fresh)
        return reading

    async def keep(self, of: Round, basis: Basis, counted: Sequence[Counted]) -> None:
        """Store segments; one that cannot be stored is counted again the next time."""
        try:
            for each in counted:
                await self._writer.run((), store.keep, of, basis.digest, each.segment, each.state)
        except DomainError as error:
            log.warning("segment-not-kept", code=error.code)


def wants_more(answers: int, covered: int) -> bool:
    """Whether so many answers of a round are worth another segment, if `covered` of them lie in segments."""
    return answers - covered >= queries.SEGMENT + MARGIN
