"""What the results ask the database: the answers of one round, in chunks that are short enough for its deadlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conflicto.responses.queries import live_answers
from conflicto.sessions.heads import head_row

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import LiveAnswer

CHUNK = 2_000
"""Answers that are read in one snapshot, about 10 ms: the driver hands over all of them while the event loop waits."""


class Round(NamedTuple):
    """Whose answers are counted."""

    session_id: int
    activity_id: UUID
    nth: int


class Chunk(NamedTuple):
    """Answers with timestamps up to `upto` were read while the head stood at `seen_ts`; `start` is where it stood at the first chunk."""

    upto: int
    seen_ts: int
    start: int

    @property
    def is_last(self) -> bool:
        """Whether nothing is left to be read."""
        return self.upto >= self.start


def read_chunk(tx: ReadTx, count: Callable[[LiveAnswer], None], of: Round, before: Chunk | None) -> Chunk:
    """Count the next answers of a round for a tally that nobody else touches meanwhile; `before` is the chunk before.

    All that is read lies at or below where the head stood at the first chunk; what moved beyond it since then is told by events.
    """
    seen_ts = head_row(tx, of.session_id).ts
    after, start = (before.upto, before.start) if before else (0, seen_ts)
    answers = live_answers(tx, of.activity_id, of.nth, after=after, upto=start, most=CHUNK)
    for answer in answers:
        count(answer)
    return Chunk(answers[-1].ts if len(answers) == CHUNK else start, seen_ts, start)
