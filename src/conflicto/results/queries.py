"""What the results ask the database: the answers of one round, in steps that are short enough for its deadlines.

Large rounds are read by segments: parts of the feed, each counted once and stored (`store.py`). A step takes over a whole segment if
it still holds, or reads some answers. A segment holds as long as it has as many live answers as were counted: an answer that changes
leaves its place in the feed for a new one at the end, and nothing ever comes to lie below the head, so what is in a segment now was
in it then, unchanged, and the same number is the same answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from conflicto.responses.queries import count_live, live_answers
from conflicto.results import store
from conflicto.results.store import Round, Segment
from conflicto.results.tally import Tally
from conflicto.sessions.feed_heads import read_head

if TYPE_CHECKING:
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import LiveAnswer
    from conflicto.results.tally import Basis

__all__ = ["Chunk", "Counted", "Reading", "Round", "Segment"]

CHUNK = 2_000
"""Answers that are read in one snapshot, about 10 ms: the driver hands over all of them while the event loop waits."""

SEGMENT = 50_000
"""Answers of a segment; about a third of a second's work to count."""

LEAST = 5_000
"""Answers of a segment that is worth its row."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


MIN_CHUNK = 50
MAX_CHUNK_CHARACTERS = 1_000_000
MAX_CHUNK_SHARE = 0.25
"""A chunk gets smaller while its texts, or the distinct keys in them, are more than this."""


class Chunk(NamedTuple):
    """Answers with timestamps up to `upto` were counted as they were while the head stood at `seen_ts`.

    `start` is where it stood at the first chunk.
    """

    upto: int
    seen_ts: int
    start: int

    @property
    def is_last(self) -> bool:
        """Whether nothing is left to be read."""
        return self.upto >= self.start


class Counted(NamedTuple):
    """A segment that was counted just now, and the dump of its state."""

    segment: Segment
    state: bytes


class Memory(Protocol):
    """Whoever wants to know every single answer that is counted."""

    def remember(self, answer: LiveAnswer) -> None:
        """Take note of an answer that was counted."""

    def forget(self) -> None:
        """Give up: answers were counted that were not read."""


class Reading:
    """Adds up a round after a position. While a step runs, in a reader's thread, nobody else touches it.

    All that is read lies at or below where the head stood at the first chunk; what moved beyond it since then is told by events.
    `fresh` are the segments that were counted on the way, `in_segments` the answers of these and of those that were taken over;
    `covered` is up to where there are segments.
    """

    def __init__(self, of: Round, basis: Basis, *, after: int = 0, memory: Memory | None = None) -> None:
        self.of = of
        self.tally = Tally(basis)
        self.chunks: list[Chunk] = []
        self.fresh: list[Counted] = []
        self.in_segments = 0
        self.covered = after
        self._after = after
        self._memory = memory
        self._part = Tally(basis)
        self._part_after = after
        self._ahead: list[Segment] = []
        self._most = min(CHUNK, 4 * MIN_CHUNK)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be read."""
        return bool(self.chunks) and self.chunks[-1].is_last

    def step(self, tx: ReadTx) -> None:
        """Take over the next segment if it holds, or count the next answers."""
        seen_ts = read_head(tx, self.of.session_id).ts
        start = self.chunks[0].start if self.chunks else seen_ts
        after = self.chunks[-1].upto if self.chunks else self._after
        if not self.chunks:
            self._ahead = [each for each in store.stored(tx, self.of, self.tally.basis.digest) if each.after >= after]
            self.covered = max([after, *(each.upto for each in self._ahead)])
        upto = self._taken_over(tx, after) or self._counted(tx, after, start)
        self.chunks.append(Chunk(upto, seen_ts, start))
        if self.is_over:
            self._close(upto, is_whole=False)

    def _taken_over(self, tx: ReadTx, after: int) -> int | None:
        """Take in the segment that begins here and return where it ends; None if there is none, or it holds no more."""
        while self._ahead and self._ahead[0].after < after:
            self._ahead.pop(0)
        if not self._ahead or self._ahead[0].after != after:
            return None
        segment = self._ahead.pop(0)
        if count_live(tx, self.of.activity_id, self.of.nth, after=after, upto=segment.upto) == segment.answers:
            state = store.state_of(tx, self.of, self.tally.basis.digest, segment)
            if state is not None:
                self._close(after, is_whole=False)
                self.tally.take(_decode(state))
                if self._memory is not None:
                    self._memory.forget()
                self.in_segments += segment.answers
                self._part_after = segment.upto
                return segment.upto
        return None

    def _counted(self, tx: ReadTx, after: int, start: int) -> int:
        """Count the next answers and return up to where; a part ends where the next segment begins."""
        end = min(start, self._ahead[0].after) if self._ahead else start
        most, share = self._most, self._part.share
        answers = live_answers(tx, self.of.activity_id, self.of.nth, after=after, upto=end, most=most)
        for answer in answers:
            self._part.add(answer)
            if self._memory is not None:
                self._memory.remember(answer)
        upto = answers[-1].ts if len(answers) == most else end
        is_large = (
            sum(len(each.text or "") for each in answers) > MAX_CHUNK_CHARACTERS or self._part.share - share > MAX_CHUNK_SHARE
        )
        self._most = max(min(CHUNK, MIN_CHUNK), most // 2) if is_large else min(CHUNK, most * 2)
        count = self._part.half(is_host=True).count
        if self._part.share > 1:
            self._close(upto, is_whole=count >= LEAST)
        elif count >= SEGMENT or (count >= LEAST and self._ahead and upto == end):
            self._close(upto, is_whole=True)
        return upto

    def _close(self, upto: int, *, is_whole: bool) -> None:
        """Add the part to the whole; one that `is_whole` becomes a segment."""
        dumped, answers = self._part.dump(), self._part.half(is_host=True).count
        if is_whole:
            self.in_segments += answers
            self.fresh.append(Counted(Segment(self._part_after, upto, answers), _encode(dumped)))
            self.covered = max(self.covered, upto)
        if answers:
            self.tally.take(dumped)
            self._part = Tally(self.tally.basis)
        self._part_after = upto
