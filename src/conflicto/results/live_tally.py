"""A live tally: the tally of one round, and its position in the feed.

`loading_tally.py` makes it from a load, and every later commit is applied to it. It stays exact,
because every commit comes with the state before it; `change_modes.py` explains how.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from conflicto.platform.problems import DomainError, Unavailable
from conflicto.platform.sizes import MIB
from conflicto.results.background import start_task
from conflicto.results.change_modes import INVALID, Change
from conflicto.results.segment_service import SegmentProgress
from conflicto.results.tally import RoundTally

if TYPE_CHECKING:
    from conflicto.aggregation.spill.database import SpillDatabase
    from conflicto.responses.model import ParticipantResponse
    from conflicto.results.change_modes import ChangeMode, CountedResponse
    from conflicto.results.queries import TallyLoader
    from conflicto.results.tally import StoredResults

TALLY_BYTES = 4_000
AUTHOR_BYTES = 120
FOLDS_BYTES = 8 * MIB
"""Memory in bytes: a tally, an author in it, and full folds."""

MAX_SNAPSHOT_AGE_S = 5.0
"""Maximum age of the results of a tally on disk."""

MAX_MEMORY_SHARE = 8.0
"""Maximum share of a tally's memory bound while a part moves to disk. Beyond it, the tally is
dropped and counted again."""


class Snapshot(NamedTuple):
    """Results of a tally on disk, with its number of changes and the monotonic time in seconds."""

    change_count: int
    taken_s: float
    results: StoredResults


class Body(NamedTuple):
    """A response body in bytes. It is valid while `version` is equal."""

    version: object
    body: bytes
    taken_s: float


class LiveTally:
    """One tally and its position in the feed. `bodies` caches the HTTP bodies built from it.

    `is_invalid`: it must be counted again.

    `segments` is its progress in stored segments. Beyond its memory bound, the tally moves to the
    disk of `spill`. Without one it stays in memory.
    """

    def __init__(self, loader: TallyLoader, mode: ChangeMode, spill: SpillDatabase | None = None) -> None:
        self.tally = loader.tally
        self.inputs = loader.tally.inputs
        self.seen_ts = loader.chunks[-1].seen_ts
        self.change_count = 0
        self.is_invalid = False
        self.bodies: dict[object, Body] = {}
        self.segments = SegmentProgress(loader.segmented_through_ts, loader.segmented_count)
        self.snapshot: Snapshot | None = None
        self._mode = mode
        self._spill = spill
        self._spill_task: asyncio.Task[None] | None = None

    @property
    def bytes(self) -> int:
        """The approximate memory in bytes."""
        bodies = sum(len(each.body) for each in self.bodies.values())
        folded = len(self.tally.authors) * AUTHOR_BYTES + round(self.tally.memory_share * FOLDS_BYTES)
        return TALLY_BYTES + bodies + self._mode.bytes + folded

    def apply(self, before: ParticipantResponse | None, after: ParticipantResponse, remote_since_ts: int | None = None) -> None:
        """Apply a change; `Change` explains the parameters."""
        mode = self._mode.apply(Change(before, after, remote_since_ts), self._count)
        if mode is INVALID:
            self._invalidate()
        elif not self.is_invalid:
            self._mode = mode

    def detach_author(self, participant_id: int) -> None:
        """Follow the database, in which a departed author's anonymous responses have no author."""
        if self.tally.may_have_author(participant_id):
            mode = self._mode.detach_author(participant_id, self._count)
            if mode is INVALID:
                self._invalidate()

    def _invalidate(self) -> None:
        self._mode = INVALID
        self.is_invalid = True

    def _count(self, before: CountedResponse | None, after: CountedResponse) -> None:
        self.change_count += 1
        self.tally.change(before, after)
        if self._spill is not None and (share := self.tally.memory_share) > 1:
            self._spill_to_disk(self._spill, share)

    async def stored_results(self, now_s: float) -> Snapshot:
        """Return the results of a tally on disk, at most 5 s old.

        Raises:
            Unavailable: writing to disk failed, or the stored part was lost; the tally is invalid.
        """
        while self.snapshot is None or (
            self.snapshot.change_count != self.change_count and now_s - self.snapshot.taken_s >= MAX_SNAPSHOT_AGE_S
        ):
            if self.is_invalid or self._spill is None:
                raise Unavailable(retry_after_s=1)
            if self._spill_task is None:
                self._spill_task = start_task(self._store(self._spill, now_s))
            await asyncio.shield(self._spill_task)
        return self.snapshot

    async def points(self, *, is_host: bool) -> list[dict[int, int]]:
        """Return the points by participant, for each `score` of the spec.

        Raises:
            Unavailable: as `stored_results` does.
        """
        if self.tally.is_stored and self._spill is not None:
            return await self._spill.run(partial(self.tally.detach().points, is_host=is_host))
        return self.tally.points_of_each(is_host=is_host)

    def _spill_to_disk(self, spill: SpillDatabase, share: float) -> None:
        """Move the memory part to disk.

        Beyond `MAX_MEMORY_SHARE` the tally is dropped, because commits do not wait for the disk.
        """
        if self._spill_task is None:
            self._spill_task = start_task(self._store(spill))
        elif share > MAX_MEMORY_SHARE:
            self._invalidate()
            self.tally = RoundTally(self.inputs)

    async def _store(self, spill: SpillDatabase, now_s: float | None = None) -> None:
        """Move the memory part to disk. With `now_s`, also take a snapshot of the results."""
        change_count, detached = self.change_count, self.tally.detach()
        try:
            if now_s is None:
                await spill.run(detached.store)
            else:
                self.snapshot = Snapshot(change_count, now_s, await spill.run(detached.results))
        except DomainError:
            self._invalidate()
            raise
        finally:
            self._spill_task = None
