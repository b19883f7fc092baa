"""A check of the feed's guarantees over a recorded history of writes and reads.

The guarantees: every reader gets everything that was acknowledged and nothing else, and no revision
twice. The order of timestamps is the order of commits, so it agrees with real time. A cursor never
goes back, and never skips changes.

Pure: the recording may come from anywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Write:
    """An acknowledged revision with its timestamp.

    `began` and `acked` are instants of one clock that all writers share.
    """

    id: object
    revision: int
    ts: int
    began: float = 0.0
    acked: float = 0.0


@dataclass(frozen=True)
class Page:
    """A page of the feed: `(id, revision, timestamp)` in order, and the cursors around them."""

    since: int
    rows: Sequence[tuple[object, int, int]]
    cursor: int


def check(writes: Sequence[Write], readers: Mapping[str, Sequence[Page]]) -> list[str]:
    """Return a sentence for each broken guarantee.

    Every reader must have read to the end.
    """
    found = [*_timestamps(writes), *_real_time(writes)]
    for name, pages in readers.items():
        found += [f"{name}: {problem}" for problem in (*_chain(pages), *_delivery(writes, pages))]
    return found


def _timestamps(writes: Sequence[Write]) -> Iterator[str]:
    seen: dict[int, Write] = {}
    for write in writes:
        other = seen.setdefault(write.ts, write)
        if other is not write:
            yield f"{write.id} r{write.revision} and {other.id} r{other.revision} share the timestamp {write.ts}"
    for earlier, later in pairwise(sorted(writes, key=lambda write: (str(write.id), write.revision))):
        if earlier.id == later.id and earlier.ts >= later.ts:
            yield f"{later.id} r{later.revision} stands before its r{earlier.revision}"


def _real_time(writes: Sequence[Write]) -> Iterator[str]:
    """Yield writes that began after another was acknowledged, but precede it in the feed."""
    newest_acked = 0
    events = sorted(
        [(write.acked, 1, write) for write in writes] + [(write.began, 0, write) for write in writes], key=lambda each: each[:2]
    )
    floor: dict[Write, int] = {}
    for _, kind, write in events:
        if kind == 0:
            floor[write] = newest_acked
        else:
            if write.ts < floor.get(write, 0):
                yield f"{write.id} r{write.revision} at {write.ts} began after {floor[write]} was acknowledged"
            newest_acked = max(newest_acked, write.ts)


def _chain(pages: Sequence[Page]) -> Iterator[str]:
    for earlier, later in pairwise(pages):
        if later.since != earlier.cursor:
            yield f"continued at {later.since} instead of {earlier.cursor}"
    for page in pages:
        if page.cursor < page.since:
            yield f"cursor went back from {page.since} to {page.cursor}"
        stamps = [ts for _, _, ts in page.rows]
        if any(first >= second for first, second in pairwise(stamps)):
            yield f"page after {page.since} is out of order"
        if stamps and not page.since < min(stamps) <= max(stamps) <= page.cursor:
            yield f"page after {page.since} has rows outside of its bounds"


def _delivery(writes: Sequence[Write], pages: Sequence[Page]) -> Iterator[str]:
    acknowledged = {(write.id, write.revision): write.ts for write in writes}
    newest: dict[object, int] = {}
    for write in writes:
        newest[write.id] = max(write.revision, newest.get(write.id, 0))
    delivered: set[tuple[object, int]] = set()
    for row_id, revision, ts in (row for page in pages for row in page.rows):
        if (row_id, revision) in delivered:
            yield f"repeated {row_id} r{revision}"
        delivered.add((row_id, revision))
        if (row_id, revision) not in acknowledged:
            yield f"phantom {row_id} r{revision}"
        elif acknowledged[row_id, revision] != ts:
            yield f"{row_id} r{revision} was told at {ts}, written at {acknowledged[row_id, revision]}"
    for row_id, revision in newest.items():
        if (row_id, revision) not in delivered:
            yield f"lost {row_id} r{revision}"
