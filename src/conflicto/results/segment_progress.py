"""Progress of one round in stored segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.results.background import start_task
from conflicto.results.segment_service import is_segment_due

if TYPE_CHECKING:
    import asyncio

    from conflicto.results.queries import RoundKey, TallyLoader
    from conflicto.results.segment_service import SegmentService
    from conflicto.results.tally import RoundTally, TallyInputs


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
