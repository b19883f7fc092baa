"""Read lanes: how many readers one kind of long read may hold, so that the others stay free for everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx

P = ParamSpec("P")
T = TypeVar("T")

MAX_LIST_READERS = 2
"""Readers that lists and searches may hold at once."""

READERS_PER_LOAD = 4
"""Loading results may hold one of so many readers, at least one."""

MAX_LOAD_WAIT_S = 60.0
"""Results of many rounds may be loaded one after the other; a load ends when nobody waits for it any more."""


class CategoryReader:
    """Reads of one kind, at most `size` at once. Others wait up to `wait_s`, or `stalled_s` while none of them begins."""

    def __init__(self, db: Database, size: int, wait_s: float, *, stalled_s: float | None = None) -> None:
        self._db = db
        self._lane = db.reader_queue.add_category(
            size, max_wait_s=wait_s, stalled_s=stalled_s or wait_s, busy_detail="All readers for work of this kind are busy."
        )
        self.size = size

    async def read(self, query: Callable[Concatenate[ReadTx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` as `Database.read` does; raises as it does."""
        return await self._db.read_in(self._lane, lambda tx: query(tx, *args, **kwargs))


def max_list_readers(readers: int) -> int:
    """Return how many readers lists may hold.

    >>> [lists_of(readers) for readers in (1, 3, 4, 49)]
    [1, 1, 2, 2]
    """
    return max(1, min(MAX_LIST_READERS, readers - 2))


def max_load_readers(readers: int) -> int:
    """Return how many readers loads of results may hold.

    >>> [loads_of(readers) for readers in (1, 3, 4, 49)]
    [1, 1, 1, 12]
    """
    return max(1, readers // READERS_PER_LOAD)
