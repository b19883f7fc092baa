"""Cache of one session's tallies.

A tally is loaded at its first request. After that, every commit is applied to it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from conflicto.participants.events import ParticipantChanged
from conflicto.platform.sizes import MIB
from conflicto.responses.events import RemoteResponsesChanged, ResponsesChanged
from conflicto.results.background import start_task
from conflicto.results.live_tally import LiveTally
from conflicto.results.loading_tally import LoadingTally, TallyLoad
from conflicto.session_state.parts import StatePart

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from uuid import UUID

    from conflicto.responses.model import ParticipantResponse
    from conflicto.results.queries import RoundKey
    from conflicto.results.segment_service import SegmentService
    from conflicto.results.tally import TallyInputs
    from conflicto.session_state.parts import EventHandler
    from conflicto.session_state.state import SessionState

    Change = tuple[ParticipantResponse | None, ParticipantResponse]

MAX_TALLIES = 1_000
"""Cached tallies of one session, one for each round. A session has at most 500 activities."""

MAX_TALLIES_BYTES = 64 * MIB
"""Memory of one session's tallies. The oldest ones are evicted first."""


def _apply_changes(state: SessionState, event: ResponsesChanged) -> None:
    state.parts[TallyCache].apply(event.changes)


def _apply_remote(state: SessionState, event: RemoteResponsesChanged) -> None:
    state.parts[TallyCache].apply_remote(event.since, event.changes)


def _apply_participant(state: SessionState, event: ParticipantChanged) -> None:
    if event.participant.deleted and not event.participant.scripted:
        anonymous = {each.id for each in state.activities.values() if each.anonymous}
        state.parts[TallyCache].detach_author(event.participant.id, anonymous)


class TallyCache(StatePart):
    """The tallies of one session by activity and round. For the event loop only."""

    handlers: ClassVar[Mapping[type, EventHandler]] = {
        ResponsesChanged: _apply_changes,
        RemoteResponsesChanged: _apply_remote,
        ParticipantChanged: _apply_participant,
    }

    def __init__(self) -> None:
        self._tallies: dict[tuple[UUID, int], LoadingTally | LiveTally] = {}

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

    def detach_author(self, participant_id: int, anonymous: Container[UUID]) -> None:
        """Remove a departed author from responses to anonymous activities."""
        for (activity_id, _), live_tally in self._tallies.items():
            if activity_id in anonymous:
                live_tally.detach_author(participant_id)

    async def get(self, segments: SegmentService, round_key: RoundKey, inputs: TallyInputs) -> LiveTally:
        """Return a round's tally, loaded if it is missing or has other inputs.

        Concurrent requests share one load.

        Raises:
            NotFound: the session is gone.
            Unavailable: the database does not answer, or the load takes longer than `MAX_WAIT_S`
                and goes on.
        """
        tally = self._tallies.get((round_key.activity_id, round_key.round_number))
        if tally is None or tally.is_invalid or tally.inputs != inputs:
            tally = self._load(segments, round_key, inputs)
        live_tally = tally if isinstance(tally, LiveTally) else await tally.load.wait()
        live_tally.segments.extend_if_due(segments, round_key, live_tally.tally)
        return live_tally

    def _load(self, segments: SegmentService, round_key: RoundKey, inputs: TallyInputs) -> LoadingTally:
        """Start a load, and evict the oldest tallies beyond the bounds."""
        key = round_key.activity_id, round_key.round_number
        loading = self._tallies[key] = LoadingTally(inputs, is_shared=segments.is_shared)
        loading.load = TallyLoad(start_task(self._read(segments, round_key, loading)), partial(self._drop, key))
        while len(self._tallies) > 1 and (len(self._tallies) > MAX_TALLIES or self.bytes > MAX_TALLIES_BYTES):
            del self._tallies[next(iter(self._tallies))]
        return loading

    async def _read(self, segments: SegmentService, round_key: RoundKey, loading: LoadingTally) -> LiveTally:
        key = round_key.activity_id, round_key.round_number
        try:
            loader = await segments.read(round_key, loading.inputs, loading)
        except BaseException:
            self._drop(key, loading.load)
            raise
        live_tally = loading.finish(loader, segments.spill)
        if self._tallies.get(key) is loading:
            self._tallies[key] = live_tally
        live_tally.segments.store(segments, round_key, loader)
        return live_tally

    def _drop(self, key: tuple[UUID, int], load: TallyLoad) -> None:
        tally = self._tallies.get(key)
        if isinstance(tally, LoadingTally) and tally.load is load:
            del self._tallies[key]
