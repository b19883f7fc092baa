"""The tallies of one session that somebody asked for: loaded once, then kept by the commits.

A load reads in chunks, each in a snapshot of its own, while answers come and change. It stays exact because every commit is told with
what each answer was before: `Kept` knows of each chunk when it was read, and so whether an answer that moved was counted before it moved.
Where other processes write too, their commits are told without what was before, so a tally remembers what it counted.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from conflicto.platform.cache_budget import text_bytes
from conflicto.platform.problems import DomainError, Unavailable
from conflicto.results.segments import wants_more
from conflicto.results.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from uuid import UUID

    from conflicto.aggregation.spill.database import SpillDatabase
    from conflicto.responses.model import LiveAnswer, ParticipantResponse
    from conflicto.results.queries import Chunk, Reading, Round
    from conflicto.results.segments import Segments
    from conflicto.results.tally import Basis, StoredResults

    Counted = LiveAnswer | ParticipantResponse

    Change = tuple[ParticipantResponse | None, ParticipantResponse]

MOST_TALLIES = 1_000
"""Rounds of one session whose tallies are kept; a session has at most 500 activities."""


MOST_COUNTED = 50_000
MAX_COUNTED_BYTES = 16 * 1024 * 1024
"""Answers of one round that are remembered as they were counted, and the memory of their texts: about 50 MB at most."""

MAX_TALLIES_BYTES = 64 * 1024 * 1024
"""Of one session. The tallies that were loaded first make room."""

TALLY_BYTES = 4_000
AUTHOR_BYTES = 120
COUNTED_BYTES = 700
FOLDED_BYTES = 8 * 1024 * 1024
"""Of a tally; of an author in it; of an answer that is remembered, without its text; and of folds with as many entries as memory takes."""


SNAPSHOT_S = 5.0
"""How old the results of a tally that is stored on disk may be."""

MAX_WAIT_S = 1.0
MAX_UNASKED_S = 60.0
COUNTING_RETRY_S = 1
"""Time that a request waits for a load, that a load goes on after the last request was refused, and after which to ask again."""

MAX_SHARE = 8.0
"""Of the memory that a tally may take, while a part of it is on its way to the disk; what goes beyond is counted again when asked for."""


class Snapshot(NamedTuple):
    """The results of a tally that is stored on disk, by how many moves, and when they were taken."""

    moves: int
    taken_s: float
    results: StoredResults


class Body(NamedTuple):
    """A finished body, and what it was made of: it is good while `of` is the same."""

    of: object
    body: bytes
    taken_s: float


class Kept:
    """One tally and its place in the feed. `moves` counts what changed it; `bodies` are kept here by whoever makes them.

    Of its answers, `in_segments` lie in stored segments, which reach up to `covered`; `storing` makes another one.

    `waiting` counts who waits for `loading`; `unasked` ends it if those who were told to ask again do not.

    `counted` holds every answer as it was counted, where other processes write as well and the round is not too large for it: the
    database keeps only the newest revisions, so nobody else can say what to take back. `is_void`: an answer changed of which that is
    not known, so the tally is good for nothing and must be loaded anew.
    """

    def __init__(self, tally: Tally, *, is_shared: bool = False, spill: SpillDatabase | None = None) -> None:
        self.tally = tally
        self.snapshot: Snapshot | None = None
        self._spill = spill
        self._spilling: asyncio.Task[None] | None = None
        self.moves = 0
        self.seen_ts = 0
        self.is_void = False
        self.bodies: dict[object, Body] = {}
        self.loading: asyncio.Task[None] | None = None
        self.waiting = 0
        self.unasked: asyncio.TimerHandle | None = None
        self.counted: dict[UUID, Counted] | None = {} if is_shared else None
        self._counted_bytes = 0
        self.storing: asyncio.Task[None] | None = None
        self.covered = 0
        self.in_segments = 0
        self._chunks: list[Chunk] = []
        self._waiting: list[tuple[ParticipantResponse | None, ParticipantResponse, int | None]] | None = []

    @property
    def bytes(self) -> int:
        """Return what it holds in memory, about."""
        bodies = sum(len(each.body) for each in self.bodies.values())
        counted = 0 if self.counted is None else len(self.counted) * COUNTED_BYTES + self._counted_bytes
        folded = len(self.tally.authors) * AUTHOR_BYTES + round(self.tally.share * FOLDED_BYTES)
        return TALLY_BYTES + bodies + counted + folded

    def remember(self, answer: Counted) -> None:
        """Keep an answer as it was counted, unless the round is too large for it."""
        if self.counted is not None:
            self.counted[answer.id] = answer
            self._counted_bytes += _text_bytes(answer)
            if len(self.counted) > MOST_COUNTED or self._counted_bytes > MAX_COUNTED_BYTES:
                self.counted = None

    def forget(self) -> None:
        """Remember no answers: some were counted that nobody has at hand."""
        self.counted = None

    def take(self, before: ParticipantResponse | None, after: ParticipantResponse, since: int | None = None) -> None:
        """Follow a change, now or as soon as the load is done.

        `since` tells that it is the sum of several commits of others, from there on; `before` is then what was known there, if anything.
        """
        if self.is_void:
            return
        if self._waiting is not None:
            self._waiting.append((before, after, since))
        elif self.counted is not None:
            self._recount(self.counted, after)
        elif since is not None:
            self._overtake(before, after, since)
        elif after.ts > self._chunks[0].start:
            self._change(before if before is not None and self._counts(before, after) else None, after)

    def loaded(self, reading: Reading) -> None:
        """Be complete up to where the head stood at the first chunk, and take what was told meanwhile."""
        self.tally, self._chunks, self.seen_ts = reading.tally, reading.chunks, reading.chunks[-1].seen_ts
        self.covered, self.in_segments = reading.covered, reading.in_segments
        waiting, self._waiting = self._waiting or [], None
        for before, after, since in waiting:
            self.take(before, after, since)

    def _change(self, before: Counted | None, after: ParticipantResponse) -> None:
        self.moves += 1
        self.tally.change(before, after)
        if self._spill is not None and (share := self.tally.share) > 1:
            self._overflow(self._spill, share)

    async def stored_results(self, now_s: float) -> Snapshot:
        """Return the results of a tally that is stored on disk, at most 5 s old.

        Raises:
            Unavailable: the disk does not take them, or they were lost; the tally is void.
        """
        while self.snapshot is None or (self.snapshot.moves != self.moves and now_s - self.snapshot.taken_s >= SNAPSHOT_S):
            if self.is_void or self._spill is None:
                raise Unavailable(retry_after_s=1)
            if self._spilling is None:
                self._spilling = _begun(self._store(self._spill, now_s))
            await asyncio.shield(self._spilling)
        return self.snapshot

    async def points(self, *, is_host: bool) -> list[dict[int, int]]:
        """Return the points of participants, for each `score` of the spec; raises as `stored_results` does."""
        if self.tally.is_stored and self._spill is not None:
            return await self._spill.run(partial(self.tally.detach().points, is_host=is_host))
        return self.tally.points_of_each(is_host=is_host)

    def _overflow(self, spill: SpillDatabase, share: float) -> None:
        """Move to the disk what memory holds; beyond twice the bound the tally is given up, as nobody waits for the disk."""
        if self._spilling is None:
            self._spilling = _begun(self._store(spill))
        elif share > MAX_SHARE:
            self.is_void = True
            self.tally = Tally(self.tally.basis)

    async def _store(self, spill: SpillDatabase, now_s: float | None = None) -> None:
        """Move to the disk what memory holds; with a time, take the results as well."""
        moves, detached = self.moves, self.tally.detach()
        try:
            if now_s is None:
                await spill.run(detached.store)
            else:
                self.snapshot = Snapshot(moves, now_s, await spill.run(detached.results))
        except DomainError:
            self.is_void = True
            raise
        finally:
            self._spilling = None

    def _recount(self, counted: dict[UUID, Counted], after: ParticipantResponse) -> None:
        """Count an answer as it is now, unless that was done; whatever it was before is at hand."""
        before = counted.pop(after.id, None)
        if before is None or before.ts < after.ts:
            self._change(before, after)
            self._counted_bytes -= _text_bytes(before) if before else 0
            if not after.deleted:
                self.remember(after)
        else:
            counted[after.id] = before

    def _overtake(self, before: ParticipantResponse | None, after: ParticipantResponse, since: int) -> None:
        """Follow what others did to an answer since a position, of a round too large to remember; `before` is how it was there."""
        start = self._chunks[0].start
        if after.ts <= start:
            return  # it has not changed since the load began, so its chunk had it
        if after.created_ts > max(start, since):
            self._change(None, after)
        elif before is not None and since >= self.seen_ts:
            self._change(before, after)
        else:
            self.is_void = True

    def _counts(self, before: ParticipantResponse, after: ParticipantResponse) -> bool:
        """Whether the tally holds `before`: it does unless its chunk was read after it had become `after`."""
        if before.ts > self._chunks[0].start or after.ts > self.seen_ts:
            return True
        chunk = self._chunks[bisect_left(self._chunks, before.ts, key=attrgetter("upto"))]
        return after.ts > chunk.seen_ts


class Tallies:
    """The tallies of one session by activity and round. The event loop's alone."""

    def __init__(self) -> None:
        self._kept: dict[tuple[UUID, int], Kept] = {}

    @property
    def bytes(self) -> int:
        """Return what the tallies hold in memory, about."""
        return sum(each.bytes for each in self._kept.values())

    def follow(self, changes: Sequence[Change]) -> None:
        """Follow a commit; costs nothing where nobody asked for results."""
        if self._kept:
            for before, after in changes:
                kept = self._kept.get((after.activity_id, after.round))
                if kept is not None:
                    kept.take(before, after)

    def overtake(self, since: int, changes: Sequence[Change]) -> None:
        """Follow what other processes did after a position, each answer as it is now and as it was known there."""
        if self._kept:
            for before, after in changes:
                kept = self._kept.get((after.activity_id, after.round))
                if kept is not None:
                    kept.take(before, after, since)

    async def get(self, segments: Segments, of: Round, basis: Basis) -> Kept:
        """Return a round's tally, loaded if it is not there or was made from something else; all who ask share one load.

        Raises:
            NotFound: it had to be loaded, and the session is gone.
            Unavailable: likewise, and the database does not answer, or it takes longer than a request waits: the load goes on meanwhile.
        """
        key = of.activity_id, of.nth
        kept = self._kept.get(key)
        if kept is None or kept.is_void or kept.tally.basis != basis:
            kept = self._kept[key] = Kept(Tally(basis), is_shared=segments.is_shared, spill=segments.spill)
            kept.loading = _begun(self._load(segments, of, kept))
            while len(self._kept) > 1 and (len(self._kept) > MOST_TALLIES or self.bytes > MAX_TALLIES_BYTES):
                del self._kept[next(iter(self._kept))]
        if kept.loading is not None:
            await self._loaded(key, kept, kept.loading)
        if kept.storing is None and wants_more(kept.tally.half(is_host=True).count, kept.in_segments):
            kept.storing = _begun(_extend(segments, of, kept))
        return kept

    async def _loaded(self, key: tuple[UUID, int], kept: Kept, loading: asyncio.Task[None]) -> None:
        """Wait a moment for a load, which ends when the last who waits for it goes away, or was told to ask again and does not."""
        kept.waiting += 1
        try:
            done, _ = await asyncio.wait({loading}, timeout=MAX_WAIT_S)
            if not done:
                self._await_question(key, kept, loading)
                raise Unavailable("The answers are being counted. Ask again in a moment.", retry_after_s=COUNTING_RETRY_S)
            await loading
        finally:
            kept.waiting -= 1
            if kept.unasked is None:
                self._end_unwanted(key, kept, loading)

    def _await_question(self, key: tuple[UUID, int], kept: Kept, loading: asyncio.Task[None]) -> None:
        """Let a load go on without anyone who waits, for as long as those who were refused may take to ask again."""
        if kept.unasked is not None:
            kept.unasked.cancel()
        kept.unasked = asyncio.get_running_loop().call_later(MAX_UNASKED_S, self._end_unasked, key, kept, loading)

    def _end_unasked(self, key: tuple[UUID, int], kept: Kept, loading: asyncio.Task[None]) -> None:
        kept.unasked = None
        self._end_unwanted(key, kept, loading)

    def _end_unwanted(self, key: tuple[UUID, int], kept: Kept, loading: asyncio.Task[None]) -> None:
        if not kept.waiting and not loading.done():
            self._drop(key, kept)
            loading.cancel()

    def _drop(self, key: tuple[UUID, int], kept: Kept) -> None:
        if self._kept.get(key) is kept:
            del self._kept[key]

    async def _load(self, segments: Segments, of: Round, kept: Kept) -> None:
        try:
            reading = await segments.read(of, kept.tally.basis, kept)
        except BaseException:
            self._drop((of.activity_id, of.nth), kept)
            raise
        kept.loaded(reading)
        kept.loading = None
        if reading.fresh:
            kept.storing = _begun(_keep(segments, of, kept, reading))


def _text_bytes(answer: Counted) -> int:
    return text_bytes(answer.text) + text_bytes(answer.masked)


async def _keep(segments: Segments, of: Round, kept: Kept, reading: Reading) -> None:
    try:
        await segments.keep(of, reading.tally.basis, reading.fresh)
    finally:
        kept.storing = None


async def _extend(segments: Segments, of: Round, kept: Kept) -> None:
    """Store one more segment. Where there was none to be made, the answers count as stored, so that nobody tries again at once."""
    answers = kept.tally.half(is_host=True).count
    try:
        reading = await segments.extend(of, kept.tally.basis, kept.covered)
        kept.covered = reading.covered
        kept.in_segments = kept.in_segments + reading.in_segments if reading.fresh else answers
    finally:
        kept.storing = None


def _begun(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start something that nobody need wait for; whoever does hears how it failed."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
