"""The tallies of one session that somebody asked for: loaded once, then kept by the commits.

A load reads in chunks, each in a snapshot of its own, while answers come and change. It stays exact because every commit is told with
what each answer was before: `Kept` knows of each chunk when it was read, and so whether an answer that moved was counted before it moved.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from conflicto.results.queries import Chunk, Round, read_chunk
from conflicto.results.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from conflicto.platform.db.engine import Database
    from conflicto.responses.model import Response
    from conflicto.results.tally import Basis

    Change = tuple[Response | None, Response]

MOST_TALLIES = 1_000
"""Rounds of one session whose tallies are kept; a session has at most 500 activities."""


class Body(NamedTuple):
    """A finished body, and what it was made of: it is good while `of` is the same."""

    of: object
    body: bytes
    taken_s: float


class Kept:
    """One tally and its place in the feed. `moves` counts what changed it; `bodies` are kept here by whoever makes them."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.moves = 0
        self.seen_ts = 0
        self.bodies: dict[object, Body] = {}
        self.loading: asyncio.Task[None] | None = None
        self._chunks: list[Chunk] = []
        self._waiting: list[Change] | None = []

    def take(self, before: Response | None, after: Response) -> None:
        """Follow a change, now or as soon as the load is done."""
        if self._waiting is not None:
            self._waiting.append((before, after))
        elif after.ts > self._chunks[0].start:
            self.moves += 1
            self.tally.change(before if before is not None and self._counts(before, after) else None, after)

    def loaded(self, chunks: list[Chunk]) -> None:
        """Be complete up to where the head stood at the first chunk, and take what was told meanwhile."""
        self._chunks, self.seen_ts = chunks, chunks[-1].seen_ts
        waiting, self._waiting = self._waiting or [], None
        for before, after in waiting:
            self.take(before, after)

    def _counts(self, before: Response, after: Response) -> bool:
        """Whether the tally holds `before`: it does unless its chunk was read after it had become `after`."""
        if before.ts > self._chunks[0].start or after.ts > self.seen_ts:
            return True
        chunk = self._chunks[bisect_left(self._chunks, before.ts, key=attrgetter("upto"))]
        return after.ts > chunk.seen_ts


class Tallies:
    """The tallies of one session by activity and round. The event loop's alone."""

    def __init__(self) -> None:
        self._kept: dict[tuple[UUID, int], Kept] = {}

    def follow(self, changes: Sequence[Change]) -> None:
        """Follow a commit; costs nothing where nobody asked for results."""
        if self._kept:
            for before, after in changes:
                kept = self._kept.get((after.activity_id, after.round))
                if kept is not None:
                    kept.take(before, after)

    async def get(self, db: Database, of: Round, basis: Basis) -> Kept:
        """Return a round's tally, loaded if it is not there or was made from something else; all who ask share one load.

        Raises:
            NotFound, Unavailable: it had to be loaded, and the session is gone or the database does not answer.
        """
        key = of.activity_id, of.nth
        kept = self._kept.get(key)
        if kept is None or kept.tally.basis != basis:
            kept = self._kept[key] = Kept(Tally(basis))
            kept.loading = asyncio.create_task(self._load(db, of, kept))
            kept.loading.add_done_callback(lambda done: done.cancelled() or done.exception())
            if len(self._kept) > MOST_TALLIES:
                del self._kept[next(iter(self._kept))]
        if kept.loading is not None:
            await asyncio.shield(kept.loading)
        return kept

    async def _load(self, db: Database, of: Round, kept: Kept) -> None:
        chunks: list[Chunk] = []
        try:
            while not chunks or not chunks[-1].is_last:
                chunks.append(await db.read(read_chunk, kept.tally, of, chunks[-1] if chunks else None))
        except BaseException:
            if self._kept.get((of.activity_id, of.nth)) is kept:
                del self._kept[of.activity_id, of.nth]
            raise
        kept.loaded(chunks)
        kept.loading = None
