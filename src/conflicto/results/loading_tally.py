"""A tally that is being loaded: the requests that wait for it, and changes that arrive meanwhile.

A load reads chunks, each in its own snapshot, while responses arrive and change. The changes are
applied after the load.
"""

from __future__ import annotations

import asyncio
from operator import methodcaller
from typing import TYPE_CHECKING

from conflicto.platform.problems import Unavailable
from conflicto.results.change_modes import ByPosition, Recorded, RecordedResponses
from conflicto.results.live_tally import TALLY_BYTES, LiveTally

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.aggregation.spill.database import SpillDatabase
    from conflicto.responses.model import ParticipantResponse
    from conflicto.results.change_modes import CountedResponse
    from conflicto.results.queries import TallyLoader
    from conflicto.results.tally import TallyInputs

MAX_WAIT_S = 1.0
MAX_UNAWAITED_LOAD_S = 60.0
COUNTING_RETRY_S = 1
"""Seconds that a request waits for a load, that a load runs without requests, and `Retry-After`."""


class LoadingTally:
    """A tally during its load, whose `CountObserver` it is.

    `is_shared`: other processes may write, so the counted responses are recorded. `load` is set
    right after the object is created.
    """

    is_invalid = False
    load: TallyLoad

    def __init__(self, inputs: TallyInputs, *, is_shared: bool = False) -> None:
        self.inputs = inputs
        self._recorded = RecordedResponses() if is_shared else None
        self._pending: list[Callable[[LiveTally], None]] = []

    @property
    def bytes(self) -> int:
        """The approximate memory in bytes."""
        return TALLY_BYTES + (0 if self._recorded is None else self._recorded.bytes)

    def record(self, response: CountedResponse) -> None:
        """Record a response as it was counted, unless the round is too large."""
        if self._recorded is not None:
            self._recorded.put(response)
            if self._recorded.is_too_large:
                self._recorded = None

    def stop_recording(self) -> None:
        """Stop recording, because a segment was added without reading its responses."""
        self._recorded = None

    def apply(self, before: ParticipantResponse | None, after: ParticipantResponse, remote_since_ts: int | None = None) -> None:
        """Keep a change until the load is done; `Change` explains the parameters."""
        self._pending.append(methodcaller("apply", before, after, remote_since_ts))

    def detach_author(self, participant_id: int) -> None:
        """Keep a departure until the load is done."""
        self._pending.append(methodcaller("detach_author", participant_id))

    def finish(self, loader: TallyLoader, spill: SpillDatabase | None = None) -> LiveTally:
        """Return the loaded tally with the changes that arrived meanwhile."""
        by_position = ByPosition(loader.chunks)
        mode = by_position if self._recorded is None else Recorded(self._recorded, by_position)
        live_tally = LiveTally(loader, mode, spill)
        for apply in self._pending:
            apply(live_tally)
        return live_tally


class TallyLoad:
    """The load of a tally, and the requests that wait for it.

    `waiters` counts them. The load is cancelled when no request waits or retries; `on_cancel` is
    called before.
    """

    def __init__(self, task: asyncio.Task[LiveTally], on_cancel: Callable[[TallyLoad], None]) -> None:
        self.task = task
        self._on_cancel = on_cancel
        self.waiters = 0
        self._abandon_timer: asyncio.TimerHandle | None = None

    async def wait(self) -> LiveTally:
        """Wait up to `MAX_WAIT_S` for the tally.

        Raises:
            Unavailable: the load takes longer and goes on.
            NotFound, Unavailable: the load failed.
        """
        self.waiters += 1
        try:
            done, _ = await asyncio.wait({self.task}, timeout=MAX_WAIT_S)
            if not done:
                self._schedule_abandonment()
                raise Unavailable("The answers are being counted. Ask again in a moment.", retry_after_s=COUNTING_RETRY_S)
            return await self.task
        finally:
            self.waiters -= 1
            if self._abandon_timer is None:
                self._cancel_unawaited()

    def _schedule_abandonment(self) -> None:
        """Continue the load for `MAX_UNAWAITED_LOAD_S` after the last refused request."""
        if self._abandon_timer is not None:
            self._abandon_timer.cancel()
        self._abandon_timer = asyncio.get_running_loop().call_later(MAX_UNAWAITED_LOAD_S, self._abandon)

    def _abandon(self) -> None:
        self._abandon_timer = None
        self._cancel_unawaited()

    def _cancel_unawaited(self) -> None:
        if not self.waiters and not self.task.done():
            self._on_cancel(self)
            self.task.cancel()
