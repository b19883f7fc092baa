"""Cache of one session's tallies.

A tally is loaded at its first request. After that, every commit is applied to it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from conflicto.platform.problems import Unavailable
from conflicto.responses.events import RemoteResponsesChanged, ResponsesChanged
from conflicto.results.live_tally import LiveTally, start_task
from conflicto.results.segment_service import is_segment_due
from conflicto.results.tally import RoundTally
from conflicto.session_state.parts import StatePart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from conflicto.responses.model import ParticipantResponse
    from conflicto.results.queries import RoundKey, TallyLoader
    from conflicto.results.segment_service import SegmentService
    from conflicto.results.tally import TallyInputs
    from conflicto.session_state.parts import EventHandler
    from conflicto.session_state.state import SessionState

    Change = tuple[ParticipantResponse | None, ParticipantResponse]

MAX_TALLIES = 1_000
"""Cached tallies of one session, one for each round. A session has at most 500 activities."""

MAX_TALLIES_BYTES = 64 * 1024 * 1024
"""Memory of one session's tallies. The oldest ones are evicted first."""

MAX_WAIT_S = 1.0
MAX_UNAWAITED_LOAD_S = 60.0
COUNTING_RETRY_S = 1
"""Seconds that a request waits for a load, that a load runs without requests, and `Retry-After`."""


def _apply_changes(state: SessionState, event: ResponsesChanged) -> None:
    state.parts[TallyCache].apply(event.changes)


def _apply_remote(state: SessionState, event: RemoteResponsesChanged) -> None:
    state.parts[TallyCache].apply_remote(event.since, event.changes)


class TallyCache(StatePart):
    """The tallies of one session by activity and round. For the event loop only."""

    handlers: ClassVar[Mapping[type, EventHandler]] = {ResponsesChanged: _apply_changes, RemoteResponsesChanged: _apply_remote}

    def __init__(self) -> None:
        self._tallies: dict[tuple[UUID, int], LiveTally] = {}

    @property
    def bytes(self) -> int:
        """The approximate memory of the tallies in bytes."""
        return sum(each.bytes for each in self._tallies.values())

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply a commit. Rounds without a cached tally cost nothing."""
        if self._tallies:
            for before, after in changes:
                live_tally = self._tallies.get((after.activity_id, after.round))
                if live_tally is not None:
                    live_tally.apply(before, after)

    def apply_remote(self, since_ts: int, changes: Sequence[Change]) -> None:
        """Apply changes of other processes after a position.

        Each is a pair: the response at that position, None if unknown, and the response now.
        """
        if self._tallies:
            for before, after in changes:
                live_tally = self._tallies.get((after.activity_id, after.round))
                if live_tally is not None:
                    live_tally.apply(before, after, since_ts)

    async def get(self, segments: SegmentService, round_key: RoundKey, inputs: TallyInputs) -> LiveTally:
        """Return a round's tally, loaded if it is missing or has other inputs.

        Concurrent requests share one load.

        Raises:
            NotFound: the session is gone.
            Unavailable: the database does not answer, or the load takes longer than `MAX_WAIT_S`
                and goes on.
        """
        key = round_key.activity_id, round_key.nth
        live_tally = self._tallies.get(key)
        if live_tally is None or live_tally.is_invalid or live_tally.tally.inputs != inputs:
            live_tally = self._tallies[key] = LiveTally(RoundTally(inputs), is_shared=segments.is_shared, spill=segments.spill)
            live_tally.load_task = start_task(self._load(segments, round_key, live_tally))
            while len(self._tallies) > 1 and (len(self._tallies) > MAX_TALLIES or self.bytes > MAX_TALLIES_BYTES):
                del self._tallies[next(iter(self._tallies))]
        if live_tally.load_task is not None:
            await self._wait_for_load(key, live_tally, live_tally.load_task)
        if live_tally.segment_task is None and is_segment_due(live_tally.tally.live.count, live_tally.segmented_count):
            live_tally.segment_task = start_task(_extend(segments, round_key, live_tally))
        return live_tally

    async def _wait_for_load(self, key: tuple[UUID, int], live_tally: LiveTally, load_task: asyncio.Task[None]) -> None:
        """Wait up to `MAX_WAIT_S` for a load. It is cancelled when no request waits or retries."""
        live_tally.waiters += 1
        try:
            done, _ = await asyncio.wait({load_task}, timeout=MAX_WAIT_S)
            if not done:
                self._schedule_abandonment(key, live_tally, load_task)
                raise Unavailable("The answers are being counted. Ask again in a moment.", retry_after_s=COUNTING_RETRY_S)
            await load_task
        finally:
            live_tally.waiters -= 1
            if live_tally.abandon_timer is None:
                self._cancel_unawaited(key, live_tally, load_task)

    def _schedule_abandonment(self, key: tuple[UUID, int], live_tally: LiveTally, load_task: asyncio.Task[None]) -> None:
        """Continue a load for `MAX_UNAWAITED_LOAD_S` after the last refused request."""
        if live_tally.abandon_timer is not None:
            live_tally.abandon_timer.cancel()
        live_tally.abandon_timer = asyncio.get_running_loop().call_later(
            MAX_UNAWAITED_LOAD_S, self._abandon_load, key, live_tally, load_task
        )

    def _abandon_load(self, key: tuple[UUID, int], live_tally: LiveTally, load_task: asyncio.Task[None]) -> None:
        live_tally.abandon_timer = None
        self._cancel_unawaited(key, live_tally, load_task)

    def _cancel_unawaited(self, key: tuple[UUID, int], live_tally: LiveTally, load_task: asyncio.Task[None]) -> None:
        if not live_tally.waiters and not load_task.done():
            self._drop(key, live_tally)
            load_task.cancel()

    def _drop(self, key: tuple[UUID, int], live_tally: LiveTally) -> None:
        if self._tallies.get(key) is live_tally:
            del self._tallies[key]

    async def _load(self, segments: SegmentService, round_key: RoundKey, live_tally: LiveTally) -> None:
        try:
            loader = await segments.read(round_key, live_tally.tally.inputs, live_tally)
        except BaseException:
            self._drop((round_key.activity_id, round_key.nth), live_tally)
            raise
        live_tally.finish_load(loader)
        live_tally.load_task = None
        if loader.new_segments:
            live_tally.segment_task = start_task(_store_segments(segments, round_key, live_tally, loader))


async def _store_segments(segments: SegmentService, round_key: RoundKey, live_tally: LiveTally, loader: TallyLoader) -> None:
    try:
        await segments.store(round_key, loader.tally.inputs, loader.new_segments)
    finally:
        live_tally.segment_task = None


async def _extend(segments: SegmentService, round_key: RoundKey, live_tally: LiveTally) -> None:
    """Store one more segment.

    If none is possible, mark all responses as segmented, to prevent an immediate retry.
    """
    response_count = live_tally.tally.audience(is_host=True).count
    try:
        loader = await segments.extend(round_key, live_tally.tally.inputs, live_tally.segmented_upto_ts)
        live_tally.segmented_upto_ts = loader.segmented_upto_ts
        live_tally.segmented_count = live_tally.segmented_count + loader.segmented_count if loader.new_segments else response_count
    finally:
        live_tally.segment_task = None
