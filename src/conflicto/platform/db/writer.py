"""The one writer of a process: every change waits its turn here, is committed in a group, and is acknowledged after the commit.

While one group is being made durable the next one gathers, so the load itself decides how large groups are and nobody waits for a
timer. Sessions take turns (`turns.py`). A group that fails on one bad row is replayed command by command. A commit whose reply was lost
is never replayed: its callers hear that the outcome is unknown, and their idempotency keys settle it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import structlog

from conflicto.platform.db.errors import RETRY_AFTER_S, unavailable
from conflicto.platform.db.fair_queue import Command, FairQueue
from conflicto.platform.db.group import Committed, CommitUnknown, GroupRunner, Outcome
from conflicto.platform.problems import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.transaction import WriteTx

P = ParamSpec("P")
T = TypeVar("T")

MAX_GROUP_COMMANDS = 512
"""Rows in one commit. On two cores a group of this size takes about 20 ms, so a control command behind it still feels instant."""

MAX_QUEUED_COMMANDS = 20_000
"""Commands that may wait; beyond it callers get 503 at once, before memory grows."""

MAX_SESSION_SHARE = 0.5
"""Of the queue, for the crowd of one session: the others find room beside it."""

MAX_WAIT_S = 1.5
"""If one of the crowd's commands would wait longer, or the oldest has, it is refused at once, so that those that were taken are answered
soon. While no more wait than one group takes, a stall is ridden out: the next commit takes them all."""

NEWEST_WEIGHT = 0.25
"""In the running mean of how long a group takes: the first full groups of a rush tell how long those behind them will wait."""

log = structlog.get_logger(__name__)


def _one_by_one(tx: WriteTx, items: list[Callable[[WriteTx], Any]]) -> list[Outcome]:
    return [tx.attempt(item) for item in items]


class Writer:
    """Queue, thread and group commit. `run` and `submit` are its two doors."""

    def __init__(self, runner: GroupRunner, clock: Clock, *, caller_s: float, on_commit: Callable[[Committed], None]) -> None:
        self._runner = runner
        self._clock = clock
        self._caller_s = caller_s
        self._on_commit = on_commit
        self._arrivals: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._pending: deque[Command] = deque()
        self._queued = 0
        self._queued_by_topics: dict[tuple[int, ...], int] = {}
        self._mean_group_s = 0.0
        self._open = False
        self._thread = threading.Thread(target=self._run_thread, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to take commands; call it on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self._open = True
        self._watch = self._loop.call_later(1, self._fail_overdue)

    async def stop(self) -> None:
        """Commit what is queued, then end the thread; from now on callers are refused."""
        self._open = False
        self._arrivals.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)
        if self._watch:
            self._watch.cancel()

    @property
    def queued(self) -> int:
        """Commands that wait or run now."""
        return self._queued

    async def run(
        self,
        topic: int | tuple[int, ...],
        command: Callable[Concatenate[WriteTx, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run one command under the locks of `topic` and return its value after the commit.

        Raises:
            DomainError: what the command raised; nothing of it was written.
            Unavailable: the database failed or did not answer in time; the outcome may be unknown.
            Overloaded: the queue is full; nothing was begun.
        """
        topics = topic if isinstance(topic, tuple) else (topic,)
        result: T = await self._enqueue(topics, _one_by_one, lambda tx: command(tx, *args, **kwargs), ())
        return result

    async def submit(
        self,
        topic: int,
        batch: Callable[[WriteTx, list[Any]], Sequence[Outcome]],
        item: object,
        keys: tuple[Hashable, ...],
        *,
        max_wait_s: float | None = None,
    ) -> Any:  # noqa: ANN401 - the batch knows
        """Add one item to the next group's `batch` and return its outcome after the commit; raises as `run` does.

        Crowds come in here, and are refused if they would wait longer than `max_wait_s`. `run` stays open then: a host must be able to
        end what the crowd has begun.
        """
        if self._is_overloaded((topic,), MAX_WAIT_S if max_wait_s is None else max_wait_s):
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        return await self._enqueue((topic,), batch, item, keys)

    def _enqueue(
        self,
        topics: tuple[int, ...],
        batch: Callable[[WriteTx, list[Any]], Sequence[Outcome]],
        item: object,
        keys: tuple[Hashable, ...],
    ) -> asyncio.Future[Any]:
        if not self._open or self._loop is None or self._queued >= MAX_QUEUED_COMMANDS:
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        command = Command(topics, batch, item, keys, self._clock.monotonic_s() + self._caller_s, self._loop.create_future())
        self._queued += 1
        self._queued_by_topics[topics] = self._queued_by_topics.get(topics, 0) + 1
        self._pending.append(command)
        self._arrivals.put(command)
        return command.future

    def _is_overloaded(self, topics: tuple[int, ...], max_wait_s: float) -> bool:
        """Whether one more command of this crowd would wait too long. Lines take turns: of no other do more go first than of its own."""
        own = self._queued_by_topics.get(topics, 0)
        ahead = min(self._queued, own * len(self._queued_by_topics))
        if ahead <= MAX_GROUP_COMMANDS:
            return False
        if own >= MAX_QUEUED_COMMANDS * MAX_SESSION_SHARE:
            return True
        if ahead / MAX_GROUP_COMMANDS * self._mean_group_s > max_wait_s:
            return True
        self._drop_answered()
        if not self._pending:
            return False
        oldest_waits_s = self._clock.monotonic_s() + self._caller_s - self._pending[0].deadline_s
        return oldest_waits_s > max_wait_s

    def _drop_answered(self) -> None:
        while self._pending and self._pending[0].future.done():
            self._pending.popleft()

    def _run_thread(self) -> None:
        waiting = FairQueue()
        open_for_more = True
        while open_for_more or waiting:
            for arrived in self._take_arrivals(wait=not waiting):
                if arrived is None:
                    open_for_more = False
                else:
                    waiting.add(arrived)
            if waiting:
                self._commit(waiting.next_group(MAX_GROUP_COMMANDS))

    def _take_arrivals(self, *, wait: bool) -> Iterator[Command | None]:
        """Yield what has arrived, None for the end of all; `wait` for the first."""
        if wait:
            yield self._arrivals.get()
        while not self._arrivals.empty():
            yield self._arrivals.get()

    def _commit(self, group: list[Command]) -> None:
        now = self._clock.monotonic_s()
        late = [command for command in group if command.deadline_s <= now]
        timely = [command for command in group if command.deadline_s > now]
        for outcomes, committed, commands in self._runner.run(timely) if timely else ():
            self._post(commands, outcomes, committed)
        if late:
            self._post(late, [Overloaded(retry_after_s=RETRY_AFTER_S)] * len(late), None)

    def _post(self, commands: list[Command], outcomes: Sequence[Outcome], committed: Committed | None) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, commands, outcomes, committed)

    def _deliver(self, commands: list[Command], outcomes: Sequence[Outcome], committed: Committed | None) -> None:
        self._queued -= len(commands)
        for command in commands:
            self._count_down(command.topics)
        if committed is not None:
            self._mean_group_s += (committed.duration_s - self._mean_group_s) * NEWEST_WEIGHT
            try:
                self._on_commit(committed)
            except Exception:  # it is committed, and its callers must hear so
                log.exception("follower-failed")
        for command, outcome in zip(commands, outcomes, strict=True):
            if command.future.done():
                continue
            if isinstance(outcome, Exception):
                command.future.set_exception(outcome)
            else:
                command.future.set_result(outcome)
        self._drop_answered()

    def _count_down(self, topics: tuple[int, ...]) -> None:
        left = self._queued_by_topics[topics] - 1
        if left:
            self._queued_by_topics[topics] = left
        else:
            del self._queued_by_topics[topics]

    def _fail_overdue(self) -> None:
        """Free callers whose command hangs in a dead connection; the writer itself is freed by the driver's own timeouts."""
        now = self._clock.monotonic_s()
        while self._pending and (self._pending[0].future.done() or self._pending[0].deadline_s < now):
            command = self._pending.popleft()
            if not command.future.done():
                command.future.set_exception(unavailable(CommitUnknown("no answer from the writer before the deadline")))
        if self._loop is not None:
            self._watch = self._loop.call_later(1, self._fail_overdue)
