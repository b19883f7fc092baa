"""Access to the temporary database from the event loop, through one thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import pysqlite3.dbapi2 as driver
import structlog

from conflicto.aggregation.spill.store import SpillStore
from conflicto.platform.problems import Unavailable
from conflicto.platform.sizes import GIB

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SPILL_BYTES = 4 * GIB
"""Bytes of the temporary database. Results of a tally that does not fit are unavailable."""

RETRY_S = 60

T = TypeVar("T")

log = structlog.get_logger(__name__)


class SpillDatabase:
    """The temporary database of a process, opened at the first use. For the event loop only."""

    def __init__(self, max_bytes: int = MAX_SPILL_BYTES) -> None:
        self._max_bytes = max_bytes
        self._store: SpillStore | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spill")

    async def run(self, work: Callable[[SpillStore], T]) -> T:
        """Run `work` on the store, in the database thread.

        Raises:
            Unavailable: the disk is full, or was full and the tally was lost.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def close(self) -> None:
        """Remove the database."""
        self._thread.shutdown()
        if self._store is not None:
            self._store.close()

    def _run(self, work: Callable[[SpillStore], T]) -> T:
        try:
            if self._store is None:
                self._store = SpillStore(self._max_bytes)
            self._store.drop_retired()
            return work(self._store)
        except driver.Error as error:
            log.warning("spill-lost", error=str(error))
            if self._store is not None:
                self._store.close()
            self._store = None
            raise Unavailable(retry_after_s=RETRY_S) from error
