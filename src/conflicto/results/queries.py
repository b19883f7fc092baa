"""Incremental load of the responses of one round, in steps that fit the database deadlines.

Large rounds are read by segments: parts of the feed, each counted once and stored (`store.py`). A
step merges a whole valid segment, or reads a chunk of responses. A segment is valid while its
number of live responses is unchanged. A response that changes moves to the end of the feed, and
nothing is inserted below the head. So an equal number means the same, unchanged responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from conflicto.responses.queries import count_live, live_responses
from conflicto.results import store
from conflicto.results.store import RoundKey, Segment
from conflicto.results.tally import RoundTally
from conflicto.sessions.feed_heads.store import read_head

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import LiveResponse
    from conflicto.results.tally import TallyInputs

__all__ = ["Chunk", "NewSegment", "RoundKey", "Segment", "TallyLoader"]

MAX_CHUNK_RESPONSES = 2_000
"""Responses read in one snapshot: about 10 ms, in which the driver blocks the event loop."""

MAX_SEGMENT_RESPONSES = 50_000
"""Responses of a segment. Counting them takes about a third of a second."""

MIN_SEGMENT_RESPONSES = 5_000
"""Responses of the smallest segment worth a row."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


MIN_CHUNK_RESPONSES = 50
MAX_CHUNK_CHARACTERS = 1_000_000
MAX_CHUNK_MEMORY_SHARE = 0.25
"""Bounds of a chunk: responses, characters of its texts, and memory share of its keys.

Beyond one of the latter two, the next chunk has half as many responses."""


class Chunk(NamedTuple):
    """Position of a load: responses up to `through_ts` were counted as they were at `seen_ts`.

    `start_ts` is the position of the head at the first chunk.
    """

    through_ts: int
    seen_ts: int
    start_ts: int

    @property
    def is_last(self) -> bool:
        """True if the load is complete."""
        return self.through_ts >= self.start_ts


class NewSegment(NamedTuple):
    """A new segment, and the dump of its state."""

    segment: Segment
    state: bytes


class CountObserver(Protocol):
    """Observer of every counted response."""

    def record(self, response: LiveResponse) -> None:
        """Record a counted response."""

    def stop_recording(self) -> None:
        """Stop recording, because responses were counted without reading them."""


class TallyLoader:
    """Loads the tally of a round after a position, step by step in a reader thread.

    It reads up to the position of the head at the first chunk. Events report later changes.
    `new_segments` were counted in this load. `segmented_count` responses lie in new and stored
    segments, which end at `segmented_through_ts`.
    """

    def __init__(self, round_key: RoundKey, inputs: TallyInputs, *, after: int = 0, observer: CountObserver | None = None) -> None:
        self.round_key = round_key
        self.tally = RoundTally(inputs)
        self.chunks: list[Chunk] = []
        self.new_segments: list[NewSegment] = []
        self.segmented_count = 0
        self.segmented_through_ts = after
        self._after_ts = after
        self._observer = observer
        self._part = RoundTally(inputs)
        self._part_after_ts = after
        self._stored_segments: list[Segment] = []
        self._chunk_size = min(MAX_CHUNK_RESPONSES, 4 * MIN_CHUNK_RESPONSES)

    @property
    def is_done(self) -> bool:
        """True if the load is complete."""
        return bool(self.chunks) and self.chunks[-1].is_last

    def step(self, tx: ReadTx) -> None:
        """Merge the next segment if it is valid, or count the next chunk."""
        seen_ts = read_head(tx, self.round_key.session_id).ts
        start = self.chunks[0].start_ts if self.chunks else seen_ts
        after = self.chunks[-1].through_ts if self.chunks else self._after_ts
        if not self.chunks:
            self._stored_segments = [
                each for each in store.stored_segments(tx, self.round_key, self.tally.inputs.digest) if each.after >= after
            ]
            self.segmented_through_ts = max([after, *(each.through for each in self._stored_segments)])
        through = self._merge_stored_segment(tx, after) or self._count_chunk(tx, after, start)
        self.chunks.append(Chunk(through, seen_ts, start))
        if self.is_done:
            self._finish_part(through, is_segment=False)

    def _merge_stored_segment(self, tx: ReadTx, after: int) -> int | None:
        """Merge the segment that begins at `after` and return its end; None without a valid one."""
        while self._stored_segments and self._stored_segments[0].after < after:
            self._stored_segments.pop(0)
        if not self._stored_segments or self._stored_segments[0].after != after:
            return None
        segment = self._stored_segments.pop(0)
        if (
            count_live(tx, self.round_key.activity_id, self.round_key.round_number, after=after, through=segment.through)
            == segment.answers
        ):
            state = store.segment_state(tx, self.round_key, self.tally.inputs.digest, segment)
            if state is not None:
                self._finish_part(after, is_segment=False)
                self.tally.merge(_decode(state))
                if self._observer is not None:
                    self._observer.stop_recording()
                self.segmented_count += segment.answers
                self._part_after_ts = segment.through
                return segment.through
        return None

    def _count_chunk(self, tx: ReadTx, after: int, start: int) -> int:
        """Count the next chunk and return its end, at most the start of the next segment."""
        end = min(start, self._stored_segments[0].after) if self._stored_segments else start
        limit, share = self._chunk_size, self._part.memory_share
        responses = live_responses(
            tx, self.round_key.activity_id, self.round_key.round_number, after=after, through=end, limit=limit
        )
        for response in responses:
            self._part.add(response)
            if self._observer is not None:
                self._observer.record(response)
        through = responses[-1].ts if len(responses) == limit else end
        is_large = (
            sum(len(each.text or "") for each in responses) > MAX_CHUNK_CHARACTERS
            or self._part.memory_share - share > MAX_CHUNK_MEMORY_SHARE
        )
        self._chunk_size = (
            max(min(MAX_CHUNK_RESPONSES, MIN_CHUNK_RESPONSES), limit // 2) if is_large else min(MAX_CHUNK_RESPONSES, limit * 2)
        )
        count = self._part.audience(is_host=True).count
        if self._part.memory_share > 1:
            self._finish_part(through, is_segment=count >= MIN_SEGMENT_RESPONSES)
        elif count >= MAX_SEGMENT_RESPONSES or (count >= MIN_SEGMENT_RESPONSES and self._stored_segments and through == end):
            self._finish_part(through, is_segment=True)
        return through

    def _finish_part(self, through: int, *, is_segment: bool) -> None:
        """Merge the part into the tally. With `is_segment`, it becomes a new segment."""
        dump, count = self._part.dump(), self._part.audience(is_host=True).count
        if is_segment:
            self.segmented_count += count
            self.new_segments.append(NewSegment(Segment(self._part_after_ts, through, count), _encode(dump)))
            self.segmented_through_ts = max(self.segmented_through_ts, through)
        if count:
            self.tally.merge(dump)
            self._part = RoundTally(self.tally.inputs)
        self._part_after_ts = through
