"""A live tally: the tally of one round, its place in the feed, and the changes that it has yet to apply.

A load reads in chunks, each in a snapshot of its own, while responses arrive and change. It stays
exact because every commit comes with the state before it. `LiveTally` knows when each chunk was
read, and so whether a response that moved was counted before it moved. Other processes' commits
come without the state before them, so a tally on a shared database records what it counted.
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
"""Answers of one round that are remembered as they were counted, and the memory of their texts: about 50 MB at most."""

TALLY_BYTES = 4_000
AUTHOR_BYTES = 120
RECORDED_RESPONSE_BYTES = 700
FOLDS_BYTES = 8 * 1024 * 1024
"""Of a tally; of an author in it; of an answer that is remembered, without its text; and of folds with as many entries as memory takes."""


MAX_SNAPSHOT_AGE_S = 5.0
"""How old the results of a tally that is stored on disk may be."""

MAX_MEMORY_SHARE = 8.0
"""Of the memory that a tally may take, while a part of it is on its way to the disk; what goes beyond is counted again when asked for."""


class Snapshot(NamedTuple):
    """The results of a tally that is stored on disk, by how many moves, and when they were taken."""

    change_count: int
    taken_s: float
    results: StoredResults


class Body(NamedTuple):
    """A finished body, and what it was made of: it is good while `of` is the same."""

    version: object
    body: bytes
    taken_s: float


class LiveTally:
    """One tally and its place in the feed. `moves` counts what changed it; `bodies` are kept here by whoever makes them.

    Of its answers, `in_segments` lie in stored segments, which reach up to `covered`; `storing` makes another one.

    `waiting` counts who waits for `loading`; `unasked` ends it if those who were told to ask again do not.

    `counted` holds every answer as it was counted, where other processes write as well and the round is not too large for it: the
    database keeps only the newest revisions, so nobody else can say what to take back. `is_void`: an answer changed of which that is
    not known, so the tally is good for nothing and must be loaded anew.
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
        """Return what it holds in memory, about."""
        bodies = sum(len(each.body) for each in self.bodies.values())
        counted = 0 if self.recorded is None else len(self.recorded) * RECORDED_RESPONSE_BYTES + self._recorded_bytes
        folded = len(self.tally.authors) * AUTHOR_BYTES + round(self.tally.memory_share * FOLDS_BYTES)
        return TALLY_BYTES + bodies + counted + folded

    def record(self, answer: CountedResponse) -> None:
        """Keep an answer as it was counted, unless the round is too large for it."""
        if self.recorded is not None:
            self.recorded[answer.id] = answer
            self._recorded_bytes += _text_bytes(answer)
            if len(self.recorded) > MAX_RECORDED_RESPONSES or self._recorded_bytes > MAX_RECORDED_BYTES:
                self.recorded = None

    def stop_recording(self) -> None:
        """Remember no answers: some were counted that nobody has at hand."""
        self.recorded = None

    def apply(self, before: ParticipantResponse | None, after: ParticipantResponse, remote_since_ts: int | None = None) -> None:
        """Follow a change, now or as soon as the load is done.

        `since` tells that it is the sum of several commits of others, from there on; `before` is then what was known there, if anything.
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
        """Be complete up to where the head stood at the first chunk, and take what was told meanwhile."""
        self.tally, self._chunks, self.seen_ts = loader.tally, loader.chunks, loader.chunks[-1].seen_ts
        self.segmented_upto_ts, self.segmented_count = loader.segmented_upto_ts, loader.segmented_count
        waiting, self._pending = self._pending or [], None
        for before, after, since in waiting:
            self.apply(before, after, since)

    def _change_tally(self, before: CountedResponse | None, after: ParticipantResponse) -> None:
        self.change_count += 1
        self.tally.change(before, after)
        if self._spill is not None and (share := self.tally.memory_share) > 1:
            self._spill_to_disk(self._spill, share)

    async def stored_results(self, now_s: float) -> Snapshot:
        """Return the results of a tally that is stored on disk, at most 5 s old.

        Raises:
            Unavailable: the disk does not take them, or they were lost; the tally is void.
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
        """Return the points of participants, for each `score` of the spec; raises as `stored_results` does."""
        if self.tally.is_stored and self._spill is not None:
            return await self._spill.run(partial(self.tally.detach().points, is_host=is_host))
        return self.tally.points_of_each(is_host=is_host)

    def _spill_to_disk(self, spill: SpillDatabase, share: float) -> None:
        """Move to the disk what memory holds; beyond twice the bound the tally is given up, as nobody waits for the disk."""
        if self._spill_task is None:
            self._spill_task = start_task(self._store(spill))
        elif share > MAX_MEMORY_SHARE:
            self.is_invalid = True
            self.tally = RoundTally(self.tally.inputs)

    async def _store(self, spill: SpillDatabase, now_s: float | None = None) -> None:
        """Move to the disk what memory holds; with a time, take the results as well."""
        moves, detached = self.change_count, self.tally.detach()
        try:
            if now_s is None:
                await spill.run(detached.store)
            else:
                self.snapshot = Snapshot(moves, now_s, await spill.run(detached.results))
        except DomainError:
            self.is_invalid = True
            raise
        finally:
            self._spill_task = None

    def _apply_recorded(self, recorded: dict[UUID, CountedResponse], after: ParticipantResponse) -> None:
        """Count an answer as it is now, unless that was done; whatever it was before is at hand."""
        before = recorded.pop(after.id, None)
        if before is None or before.ts < after.ts:
            self._change_tally(before, after)
            self._recorded_bytes -= _text_bytes(before) if before else 0
            if not after.deleted:
                self.record(after)
        else:
            recorded[after.id] = before

    def _apply_remote(self, before: ParticipantResponse | None, after: ParticipantResponse, since_ts: int) -> None:
        """Follow what others did to an answer since a position, of a round too large to remember; `before` is how it was there."""
        start = self._chunks[0].start_ts
        if after.ts <= start:
            return  # it has not changed since the load began, so its chunk had it
        if after.created_ts > max(start, since_ts):
            self._change_tally(None, after)
        elif before is not None and since_ts >= self.seen_ts:
            self._change_tally(before, after)
        else:
            self.is_invalid = True

    def _includes(self, before: ParticipantResponse, after: ParticipantResponse) -> bool:
        """Whether the tally holds `before`: it does unless its chunk was read after it had become `after`."""
        if before.ts > self._chunks[0].start_ts or after.ts > self.seen_ts:
            return True
        chunk = self._chunks[bisect_left(self._chunks, before.ts, key=attrgetter("upto_ts"))]
        return after.ts > chunk.seen_ts


def _text_bytes(answer: CountedResponse) -> int:
    return text_bytes(answer.text) + text_bytes(answer.masked)


def start_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start something that nobody need wait for; whoever does hears how it failed."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
