"""Segments of large rounds: counted on a request for results, and stored for later restarts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from conflicto.aggregation.spill.database import SpillDatabase
from conflicto.platform.problems import DomainError
from conflicto.results import queries, store
from conflicto.results.background import start_task
from conflicto.results.queries import TallyLoader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.writer import Writer
    from conflicto.results.queries import CountObserver, NewSegment, RoundKey
    from conflicto.results.tally import RoundTally, TallyInputs

MARGIN_RESPONSES = 10_000
"""Newest responses of a round, left for a later segment because they are likely to change."""

log = structlog.get_logger(__name__)


class SegmentService:
    """Reads rounds, and stores counted segments. For the event loop only."""

    def __init__(self, db: Database, writer: Writer) -> None:
        self._db = db
        self._writer = writer
        self._storing: set[asyncio.Task[None]] = set()
        self.spill = SpillDatabase()

    @property
    def is_shared(self) -> bool:
        """True if other processes may write to the database."""
        return self._db.is_shared

    async def close(self) -> None:
        """Remove the temporary database."""
        await asyncio.to_thread(self.spill.close)

    async def read(self, round_key: RoundKey, inputs: TallyInputs, observer: CountObserver | None = None) -> TallyLoader:
        """Read a whole round.

        A cancelled read stores its segments, and the next read continues there.

        Raises:
            NotFound, Unavailable: the session is gone, or the database does not answer.
        """
        loader = TallyLoader(round_key, inputs, observer=observer)
        try:
            while not loader.is_done:
                await self._db.loads.read(loader.step)
                if loader.tally.memory_share > 1:
                    await self.spill.run(loader.tally.detach().store)
        except asyncio.CancelledError:
            self._store_in_background(round_key, inputs, list(loader.new_segments))
            raise
        return loader

    def _store_in_background(self, round_key: RoundKey, inputs: TallyInputs, segments: Sequence[NewSegment]) -> None:
        task = asyncio.create_task(self.store(round_key, inputs, segments))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    async def extend(self, round_key: RoundKey, inputs: TallyInputs, after: int) -> TallyLoader:
        """Count one more segment after a position and store it. Raises as `read` does."""
        loader = TallyLoader(round_key, inputs, after=after)
        while not (loader.is_done or loader.new_segments or loader.tally.memory_share > 1):
            await self._db.loads.read(loader.step)
        await self.store(round_key, inputs, loader.new_segments)
        return loader

    async def store(self, round_key: RoundKey, inputs: TallyInputs, segments: Sequence[NewSegment]) -> None:
        """Store segments. A segment that cannot be stored is counted again at the next load."""
        try:
            for each in segments:
                await self._writer.run((), store.save_segment, round_key, inputs.digest, each.segment, each.state)
        except DomainError as error:
            log.warning("segment-not-kept", code=error.code)


class SegmentProgress:
    """`response_count` responses lie in stored segments, which end at `through_ts`.

    `task` stores segments now; at most one runs.
    """

    def __init__(self, through_ts: int, response_count: int) -> None:
        self.through_ts = through_ts
        self.response_count = response_count
        self.task: asyncio.Task[None] | None = None

    def store(self, service: SegmentService, round_key: RoundKey, loader: TallyLoader) -> None:
        """Store the new segments of a load in the background."""
        if loader.new_segments:
            self.task = start_task(self._store(service, round_key, loader))

    async def _store(self, service: SegmentService, round_key: RoundKey, loader: TallyLoader) -> None:
        try:
            await service.store(round_key, loader.tally.inputs, loader.new_segments)
        finally:
            self.task = None

    def extend_if_due(self, service: SegmentService, round_key: RoundKey, tally: RoundTally) -> None:
        """Store one more segment in the background, if enough responses are in none."""
        if self.task is None and is_segment_due(tally.live.count, self.response_count):
            self.task = start_task(self._extend(service, round_key, tally.inputs, tally.live.count))

    async def _extend(self, service: SegmentService, round_key: RoundKey, inputs: TallyInputs, response_count: int) -> None:
        """Store one more segment.

        If none is possible, mark all responses as segmented, to prevent an immediate retry.
        """
        try:
            loader = await service.extend(round_key, inputs, self.through_ts)
            self.through_ts = loader.segmented_through_ts
            self.response_count = self.response_count + loader.segmented_count if loader.new_segments else response_count
        finally:
            self.task = None


def is_segment_due(responses: int, segmented: int) -> bool:
    """Return whether a round has enough responses outside its segments for another one."""
    return responses - segmented >= queries.MAX_SEGMENT_RESPONSES + MARGIN_RESPONSES
