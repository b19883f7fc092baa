"""Batched look-ups: while one read runs, the next batch gathers, so a burst takes few reads."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from conflicto.platform.db.errors import RETRY_AFTER_S
from conflicto.platform.problems import DomainError, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx

I = TypeVar("I")  # noqa: E741 - an item
O = TypeVar("O")  # noqa: E741 - its outcome
H = TypeVar("H", bound="Hashable")  # an item that may come more than once

MAX_BATCH = 512
"""Look-ups in one read, as many as commands in one commit."""

MAX_BATCH_PAGES = 32
"""Pages in one read: each may hold 1 MB."""

MAX_WAITING_LOOKUPS = 20_000
"""Waiting look-ups, 1 KB each."""


class BatchedRead(Generic[I, O]):
    """Look-ups of one kind, up to `max_batch` in one read.

    `query` returns one outcome per item, in their order: a value, or the error to raise.
    """

    def __init__(
        self, db: Database, query: Callable[[ReadTx, Sequence[I]], Sequence[O | DomainError]], *, max_batch: int = MAX_BATCH
    ) -> None:
        self._db = db
        self._query = query
        self._max_batch = max_batch
        self._waiting: deque[tuple[I, asyncio.Future[O]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def read(self, item: I) -> O:
        """Return the outcome of one item, or raise it.

        Raises:
            Overloaded: too many wait already, or no result came in time.
            Unavailable: as for `Database.read`.
        """
        if len(self._waiting) >= MAX_WAITING_LOOKUPS:
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())
        try:
            async with asyncio.timeout(self._db.timeouts.caller_s):
                return await future
        except TimeoutError as error:
            raise Overloaded(retry_after_s=RETRY_AFTER_S) from error

    async def _run(self) -> None:
        try:
            while batch := self._next_batch():
                await self._resolve(batch)
        finally:
            self._task = None

    def _next_batch(self) -> list[tuple[I, asyncio.Future[O]]]:
        """Take the look-ups whose callers still wait."""
        batch: list[tuple[I, asyncio.Future[O]]] = []
        while self._waiting and len(batch) < self._max_batch:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    async def _resolve(self, batch: list[tuple[I, asyncio.Future[O]]]) -> None:
        items = [item for item, _ in batch]
        try:
            outcomes = await self._db.read(self._query, items)
        except Exception as error:  # noqa: BLE001 - every caller gets the error
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


def deduplicated(query: Callable[[ReadTx, H], O]) -> Callable[[ReadTx, Sequence[H]], list[O | DomainError]]:
    """Return a batch query that runs `query` once for equal items."""

    def outcome(tx: ReadTx, item: H) -> O | DomainError:
        try:
            return query(tx, item)
        except DomainError as error:
            return error

    def batch(tx: ReadTx, items: Sequence[H]) -> list[O | DomainError]:
        outcomes = {item: outcome(tx, item) for item in dict.fromkeys(items)}
        return [outcomes[item] for item in items]

    return batch
