"""Look-ups of a crowd in common: while one read runs the next batch gathers, so a burst takes a few reads instead of one each."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from conflicto.platform.db.faults import RETRY_AFTER_S
from conflicto.platform.problems import DomainError, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome

MAX_BATCH = 512
"""Look-ups in one read, as many as commands in one commit."""

MAX_WAITING_LOOKUPS = 20_000
"""1 KB each."""


class BatchedRead(Generic[I, O]):
    """One kind of look-up. `query` returns one outcome for each item, in their order: a value, or the error to raise."""

    def __init__(self, db: Database, query: Callable[[ReadTx, Sequence[I]], Sequence[O | DomainError]]) -> None:
        self._db = db
        self._query = query
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def read(self, item: I) -> O:
        """Return the outcome of one item, or raise it.

        Raises:
            Overloaded: too many wait already.
            Unavailable: as for `Database.read`.
        """
        if len(self._waiting) >= MAX_WAITING_LOOKUPS:
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while batch := self._next_batch():
                await self._answer(batch)
        finally:
            self._task = None

    def _next_batch(self) -> list[tuple[I, asyncio.Future[O]]]:
        """Take the look-ups that still have a caller."""
        batch: list[tuple[I, asyncio.Future[O]]] = []
        while self._waiting and len(batch) < MAX_BATCH:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    async def _answer(self, batch: list[tuple[I, asyncio.Future[O]]]) -> None:
        items = [item for item, _ in batch]
        try:
            outcomes = await self._db.read(self._query, items)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller hears it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, DomainError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
