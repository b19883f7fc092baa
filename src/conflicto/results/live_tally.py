"""A live tally: the tally of one round, its position in the feed, and its pending changes.

A load reads chunks, each in its own snapshot, while responses arrive and change. It stays exact
because every commit comes with the state before it. `LiveTally` records when each chunk was read.
So it can decide whether a response that moved in the feed was counted before it moved.

Commits of other processes come without the state before them. So a tally on a shared database
records the responses that it counted.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.platform.cache_budget import text_bytes
from conflicto.platform.problems import DomainError, Unavailable
from conflicto.results.tally import RoundTally

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from conflicto.aggregation.spill.database import SpillDatabase
    from conflicto.responses.model import LiveResponse, ParticipantResponse
    from conflicto.results.queries import Chunk, TallyLoader
    from conflicto.results.tally import StoredResults

    CountedResponse = LiveResponse | ParticipantResponse

MAX_RECORDED_RESPONSES = 50_000
MAX_RECORDED_BYTES = 16 * 1024 * 1024
"""Recorded responses of one round, and the bytes of their texts. Together they take up to 50 MB."""

TALLY_BYTES = 4_000
AUTHOR_BYTES = 120
RECORDED_RESPONSE_BYTES = 700
FOLDS_BYTES = 8 * 1024 * 1024
"""Memory in bytes: a tally, an author in it, a recorded response without text, and full folds."""

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

    `segmented_count` responses lie in stored segments, which end at `segmented_upto_ts`;
    `segment_task` adds another one. `waiters` counts the requests that wait for `load_task`.
    `abandon_timer` cancels the load if refused clients do not retry.

    `recorded` holds every response as it was counted. It is None unless other processes write too
    and the round is small enough. The database has only the newest revisions, so it does not show
    what to subtract. `is_invalid`: a changed response has an unknown earlier state, so the tally
    must be reloaded.
    """

    def __init__(self, tally: RoundTally, *, is_shared: bool = False, spill: SpillDatabase | None = None) -> None:
        self.tally = tally
        self.snapshot: Snapshot | None = None
        self._spill = spill
        self._spill_task: asyncio.Task[None] | None = None
        self.change_count = 0
        self.seen_ts = 0
        self.is_invalid = False
        self.bodies: dict[object, Body] = {}
        self.load_task: asyncio.Task[None] | None = None
        self.waiters = 0
        self.abandon_timer: asyncio.TimerHandle | None = None
        self.recorded: dict[UUID, CountedResponse] | None = {} if is_shared else None
        self._recorded_bytes = 0
        self.segment_task: asyncio.Task[None] | None = None
        self.segmented_upto_ts = 0
        self.segmented_count = 0
        self._chunks: list[Chunk] = []
        self._pending: list[tuple[ParticipantResponse | None, ParticipantResponse, int | None]] | None = []

    @property
    def bytes(self) -> int:
        """The approximate memory in bytes."""
        bodies = sum(len(each.body) for each in self.bodies.values())
        counted = 0 if self.recorded is None else len(self.recorded) * RECORDED_RESPONSE_BYTES + self._recorded_bytes
        folded = len(self.tally.authors) * AUTHOR_BYTES + round(self.tally.memory_share * FOLDS_BYTES)
        return TALLY_BYTES + bodies + counted + folded

    def record(self, response: CountedResponse) -> None:
        """Record a response as it was counted, unless the round is too large."""
        if self.recorded is not None:
            self.recorded[response.id] = response
            self._recorded_bytes += _text_bytes(response)
            if len(self.recorded) > MAX_RECORDED_RESPONSES or self._recorded_bytes > MAX_RECORDED_BYTES:
                self.recorded = None

    def stop_recording(self) -> None:
        """Stop recording, because a segment was added without reading its responses."""
        self.recorded = None

    def apply(self, before: ParticipantResponse | None, after: ParticipantResponse, remote_since_ts: int | None = None) -> None:
        """Apply a change now, or after the load.

        With `remote_since_ts`, the change combines commits of other processes after that position.
        Then `before` is the state at that position, None if unknown.
        """
        if self.is_invalid:
            return
        if self._pending is not None:
            self._pending.append((before, after, remote_since_ts))
        elif self.recorded is not None:
            self._apply_recorded(self.recorded, after)
        elif remote_since_ts is not None:
            self._apply_remote(before, after, remote_since_ts)
        elif after.ts > self._chunks[0].start_ts:
            self._change_tally(before if before is not None and self._includes(before, after) else None, after)

    def finish_load(self, loader: TallyLoader) -> None:
        """Use the result of a finished load, and apply the changes that arrived meanwhile."""
        self.tally, self._chunks, self.seen_ts = loader.tally, loader.chunks, loader.chunks[-1].seen_ts
        self.segmented_upto_ts, self.segmented_count = loader.segmented_upto_ts, loader.segmented_count
        pending, self._pending = self._pending or [], None
        for before, after, since_ts in pending:
            self.apply(before, after, since_ts)

    def _change_tally(self, before: CountedResponse | None, after: ParticipantResponse) -> None:
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
            self.is_invalid = True
            self.tally = RoundTally(self.tally.inputs)

    async def _store(self, spill: SpillDatabase, now_s: float | None = None) -> None:
        """Move the memory part to disk. With `now_s`, also take a snapshot of the results."""
        change_count, detached = self.change_count, self.tally.detach()
        try:
            if now_s is None:
                await spill.run(detached.store)
            else:
                self.snapshot = Snapshot(change_count, now_s, await spill.run(detached.results))
        except DomainError:
            self.is_invalid = True
            raise
        finally:
            self._spill_task = None

    def _apply_recorded(self, recorded: dict[UUID, CountedResponse], after: ParticipantResponse) -> None:
        """Replace the recorded revision of a response by a newer one."""
        before = recorded.pop(after.id, None)
        if before is None or before.ts < after.ts:
            self._change_tally(before, after)
            self._recorded_bytes -= _text_bytes(before) if before else 0
            if not after.deleted:
                self.record(after)
        else:
            recorded[after.id] = before

    def _apply_remote(self, before: ParticipantResponse | None, after: ParticipantResponse, since_ts: int) -> None:
        """Apply a remote change without recorded responses; `before` is the state at `since_ts`."""
        start = self._chunks[0].start_ts
        if after.ts <= start:
            return  # unchanged since the load began, so its chunk included it
        if after.created_ts > max(start, since_ts):
            self._change_tally(None, after)
        elif before is not None and since_ts >= self.seen_ts:
            self._change_tally(before, after)
        else:
            self.is_invalid = True

    def _includes(self, before: ParticipantResponse, after: ParticipantResponse) -> bool:
        """Return whether the tally counted `before`: its chunk was read before the change."""
        if before.ts > self._chunks[0].start_ts or after.ts > self.seen_ts:
            return True
        chunk = self._chunks[bisect_left(self._chunks, before.ts, key=attrgetter("upto_ts"))]
        return after.ts > chunk.seen_ts


def _text_bytes(response: CountedResponse) -> int:
    return text_bytes(response.text) + text_bytes(response.masked)


def start_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a background task. Its exception reaches only those who await it."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
