"""The one writer of a process: commits changes in groups and acknowledges them after the commit.

While one group commits, the next one gathers: load decides how large groups are, and no command
waits for a timer. `fair_queue.py` picks the commands. A group with a bad row is replayed command by
command. A commit without a reply is never replayed. Its callers learn that the outcome is unknown,
and their idempotency keys settle it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter, deque
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import structlog

from conflicto.platform.db.batches import Batches
from conflicto.platform.db.errors import RETRY_AFTER_S, unavailable
from conflicto.platform.db.fair_queue import Command, FairQueue
from conflicto.platform.db.group import Committed, CommitUnknown, GroupRunner, Outcome
from conflicto.platform.moving_average import MovingAverage
from conflicto.platform.problems import Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.transaction import WriteTx

P = ParamSpec("P")
T = TypeVar("T")

MAX_GROUP_COMMANDS = 512
"""Commands in one commit. On two cores a group of this size takes about 20 ms, so a control command
behind it still feels instant."""

MAX_QUEUED_COMMANDS = 20_000
"""Commands that may wait. Beyond it callers get 503 at once, before memory grows."""

MAX_SESSION_SHARE = 0.5
"""Share of the queue for the submissions of one session. The rest stays free for other sessions."""

MAX_WAIT_S = 1.5
"""Longest wait of a submitted command, expected or measured on the oldest one, before new ones are
refused at once. The limit does not apply while at most one group waits: the next commit takes all.
"""

NEWEST_WEIGHT = 0.25
"""Weight of the newest group in the moving average of a group's duration. The first full groups of
a rush predict how long those behind them will wait."""

_topics = attrgetter("topics")

log = structlog.get_logger(__name__)


def _one_by_one(tx: WriteTx, items: list[Callable[[WriteTx], Any]]) -> list[Outcome]:
    return [tx.attempt(item) for item in items]


class Forwarder(Protocol):
    """Knows which process writes a session; `platform/peers` implements it."""

    def forward(
        self,
        topic: int,
        batch: Callable[[WriteTx, list[Any]], Sequence[Outcome]],
        item: object,
        keys: tuple[Hashable, ...],
        *,
        max_wait_s: float | None,
        is_repeatable: bool,
    ) -> asyncio.Future[Any] | None:
        """Let another process write an item, None if this one does."""


class Writer:
    """Queue, thread and group commit. Commands enter through `run` and `submit`.

    `forwarder` passes submitted items on to the process that writes their session, if their batch
    is one of `batches`.
    """

    def __init__(self, runner: GroupRunner, clock: Clock, *, caller_s: float, on_commit: Callable[[Committed], None]) -> None:
        self._runner = runner
        self._clock = clock
        self._caller_s = caller_s
        self._on_commit = on_commit
        self._arrivals: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._pending: deque[Command] = deque()
        self._queued = 0
        self._queued_by_topics: dict[tuple[int, ...], int] = {}
        self._group_s = MovingAverage(NEWEST_WEIGHT)
        self._open = False
        self.forwarder: Forwarder | None = None
        self.batches = Batches()
        self._thread = threading.Thread(target=self._run_thread, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Accept commands from now on; call it on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self._open = True
        self._watch = self._loop.call_later(1, self._fail_overdue)

    async def stop(self) -> None:
        """Commit the queue, then end the thread. New commands are refused."""
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
            DomainError: the command raised it; nothing of the command was written.
            Unavailable: the database failed or did not answer in time; the outcome may be unknown.
            Overloaded: the queue is full; the command was not started.
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
        is_repeatable: bool = False,
    ) -> Any:  # noqa: ANN401 - the batch's outcome
        """Add one item to the next group's `batch` and return its outcome after the commit.

        Raises as `run` does. Items are refused if they would wait longer than `max_wait_s`. `run`
        stays open then: a host must be able to close the activity that causes the load.

        Another worker may write it (`forwarder`). `is_repeatable`: a repeat has the same outcome.
        """
        if self.forwarder is not None:
            forwarded = self.forwarder.forward(topic, batch, item, keys, max_wait_s=max_wait_s, is_repeatable=is_repeatable)
            if forwarded is not None:
                return await forwarded
        return await self.enqueue(topic, batch, item, keys, max_wait_s=max_wait_s)

    def enqueue(
        self,
        topic: int,
        batch: Callable[[WriteTx, list[Any]], Sequence[Outcome]],
        item: object,
        keys: tuple[Hashable, ...],
        *,
        max_wait_s: float | None = None,
    ) -> asyncio.Future[Any]:
        """Queue an item of `submit` in this process.

        Raises:
            Overloaded: it would wait too long; it was not queued.
        """
        if self._is_overloaded((topic,), MAX_WAIT_S if max_wait_s is None else max_wait_s):
            raise Overloaded(retry_after_s=RETRY_AFTER_S)
        return self._enqueue((topic,), batch, item, keys)

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
        """Return whether one more command of this session would wait too long.

        Sessions take turns, so at most as many commands of each other session go first.
        """
        own = self._queued_by_topics.get(topics, 0)
        ahead = min(self._queued, own * len(self._queued_by_topics))
        if ahead <= MAX_GROUP_COMMANDS:
            return False
        if own >= MAX_QUEUED_COMMANDS * MAX_SESSION_SHARE:
            return True
        if ahead / MAX_GROUP_COMMANDS * self._group_s.value > max_wait_s:
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
        """Yield the commands that have arrived, None for the end; `wait` blocks for the first."""
        if wait:
            yield self._arrivals.get()
        while not self._arrivals.empty():
            yield self._arrivals.get()

    def _commit(self, group: list[Command]) -> None:
        now = self._clock.monotonic_s()
        overdue: list[Command] = []
        in_time: list[Command] = []
        for command in group:
            (in_time if command.deadline_s > now else overdue).append(command)
        for outcomes, committed, commands in self._runner.run(in_time) if in_time else ():
            self._post(commands, outcomes, committed)
        if overdue:
            self._post(overdue, [Overloaded(retry_after_s=RETRY_AFTER_S)] * len(overdue), None)

    def _post(self, commands: list[Command], outcomes: Sequence[Outcome], committed: Committed | None) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, commands, outcomes, committed)

    def _deliver(self, commands: list[Command], outcomes: Sequence[Outcome], committed: Committed | None) -> None:
        self._queued -= len(commands)
        for topics, amount in Counter(map(_topics, commands)).items():
            self._count_down(topics, amount)
        if committed is not None:
            self._group_s.add(committed.duration_s)
            try:
                self._on_commit(committed)
            except Exception:  # the group is committed, and its callers must learn that
                log.exception("follower-failed")
        for command, outcome in zip(commands, outcomes, strict=True):
            if command.future.done():
                continue
            if isinstance(outcome, Exception):
                command.future.set_exception(outcome)
            else:
                command.future.set_result(outcome)
        self._drop_answered()

    def _count_down(self, topics: tuple[int, ...], amount: int) -> None:
        left = self._queued_by_topics[topics] - amount
        if left:
            self._queued_by_topics[topics] = left
        else:
            del self._queued_by_topics[topics]

    def _fail_overdue(self) -> None:
        """Fail commands past their deadline: they hang in a dead connection.

        The driver's own timeouts free the writer.
        """
        now = self._clock.monotonic_s()
        while self._pending and (self._pending[0].future.done() or self._pending[0].deadline_s < now):
            command = self._pending.popleft()
            if not command.future.done():
                command.future.set_exception(unavailable(CommitUnknown("no answer from the writer before the deadline")))
        if self._loop is not None:
            self._watch = self._loop.call_later(1, self._fail_overdue)
