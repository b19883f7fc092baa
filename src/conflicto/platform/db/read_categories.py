"""Categories of long reads: limits on the readers that each may occupy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx

P = ParamSpec("P")
T = TypeVar("T")

MAX_LIST_READERS = 2
"""Readers that lists and searches may occupy at once."""

READERS_PER_LOAD = 4
"""Number of readers per reader that may load results; at least one may."""

MAX_LOAD_WAIT_S = 60.0
"""Limit for results of many rounds that load one after the other. A load ends with its last waiter.
"""


class CategoryReader:
    """Reads of one kind, at most `max_running` at once.

    Others wait up to `wait_s`, or `stalled_s` while none of them begins.
    """

    def __init__(self, db: Database, size: int, wait_s: float, *, stalled_s: float | None = None) -> None:
        self._db = db
        self._category = db.reader_queue.add_category(
            size, max_wait_s=wait_s, stalled_s=stalled_s or wait_s, busy_detail="All readers for work of this kind are busy."
        )
        self.size = size

    async def read(self, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` as `Database.read` does; raises as it does."""
        return await self._db.read_in(self._category, lambda tx: query(tx, *args, **kwargs))


def max_list_readers(readers: int) -> int:
    """Return the number of readers that lists may occupy.

    >>> [max_list_readers(readers) for readers in (1, 3, 4, 49)]
    [1, 1, 2, 2]
    """
    return max(1, min(MAX_LIST_READERS, readers - 2))


def max_load_readers(readers: int) -> int:
    """Return the number of readers that loads of results may occupy.

    >>> [max_load_readers(readers) for readers in (1, 3, 4, 49)]
    [1, 1, 1, 12]
    """
    return max(1, readers // READERS_PER_LOAD)
