"""Load generator for participants: one event loop, one timer, one connection each.

The loop is open: every request has a due time, independent of earlier responses. Its latency counts
from that time. So a stall of the server counts for every request that was due in it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING

from bench import open_files
from bench.histogram import Histogram
from bench.participant_connections import TRANSPORTS, Answerer, ParticipantConnection
from bench.timer_wheel import Ticker, TimerWheel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bench.scenario import Scenario

PERIOD_S = 2.0
JITTER = 0.1
BATCH = 500
"""Connections opened at once: fewer than the backlog of a listening socket."""

DRAIN_S = 15.0
ANSWERERS = 256
PEOPLE_PER_ANSWERER = 8
NO_NEWS = b"\0"
"""Bytes that no response contains."""


@dataclass(slots=True)
class Busy:
    """Shares of one core during an interval."""

    server: float = 0.0
    client: float = 0.0


class LoadGenerator:
    """Participants of a scenario on one transport, with their measurements."""

    def __init__(self, scenario: Scenario, transport: str = "poll", *, period_s: float = PERIOD_S) -> None:
        self.scenario = scenario
        self.period_s = period_s
        self.over = False
        self.errors: Counter[str] = Counter()
        self.quiet, self.busy, self.answers, self.news, self.late = (Histogram() for _ in range(5))
        self.streaming = 0
        self.needle_overlap = 1
        self._needle = NO_NEWS
        self._news_s = 0.0
        self._quiet_from_s = self._busy_from_s = inf
        self._random = Random(len(scenario.seats))
        self._kind = TRANSPORTS[transport]
        self._participants: list[ParticipantConnection] = []
        self._answerers: list[Answerer] = []
        self._free: deque[Answerer] = deque()
        self._queue: deque[tuple[bytes, float]] = deque()
        self._unanswered = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LoadGenerator]:
        """Connect all participants and start their polls, spread over one period.

        Disconnect at the end.
        """
        open_files.require(len(self.scenario.seats))
        ticker = Ticker()
        loop = asyncio.get_running_loop()
        loop.add_reader(ticker.file, self._tick, ticker)
        self.wheel = TimerWheel(perf_counter())
        try:
            async for phones in self._connected([partial(self._kind, self, token) for _, token in self.scenario.seats]):
                self._participants += phones
                for phone in phones:
                    self.wheel.add(perf_counter() + self._random.random() * self.period_s, phone.due)
            gc.collect()
            gc.freeze()
            gc.disable()
            yield self
        finally:
            self.over = True
            loop.remove_reader(ticker.file)
            ticker.close()
            for each in (*self._participants, *self._answerers):
                each.transport.abort()
            gc.enable()
            gc.unfreeze()

    async def prepare_answers(self) -> None:
        """Open the connections for answers shortly before use: servers close idle ones."""
        amount = min(ANSWERERS, max(PEOPLE_PER_ANSWERER, len(self._participants) // PEOPLE_PER_ANSWERER))
        async for answerers in self._connected([partial(Answerer, self)] * amount):
            self._answerers += answerers
        self._free = deque(self._answerers)

    async def _connected(self, makers: Sequence[partial]) -> AsyncIterator[list]:
        """Connect in batches and yield each batch. A server closes silent connections."""
        loop, port = asyncio.get_running_loop(), self.scenario.server.port
        for first in range(0, len(makers), BATCH):
            batch = [
                loop.create_connection(maker, "127.0.0.1", port, local_addr=_local(first + number))
                for number, maker in enumerate(makers[first : first + BATCH])
            ]
            yield [protocol for _, protocol in await asyncio.gather(*batch)]

    def _tick(self, ticker: Ticker) -> None:
        ticker.read()
        for at_s, actions in self.wheel.due(perf_counter()):
            if self._quiet_from_s <= at_s < self._busy_from_s:
                self.late.record(perf_counter() - at_s)
            for action in actions:
                action(at_s)

    # Called by connections

    def pause_s(self) -> float:
        """Return the pause between two polls, s."""
        return self.period_s * (1 + JITTER * (2 * self._random.random() - 1))

    def record_poll(self, due_s: float, now_s: float) -> None:
        """Record a response in the histogram of its interval."""
        if due_s >= self._busy_from_s:
            self.busy.record(now_s - due_s)
        elif due_s >= self._quiet_from_s:
            self.quiet.record(now_s - due_s)

    def is_news(self, data: bytes) -> bool:
        """Return whether the data contain the expected words."""
        return self._needle in data

    def record_news(self, now_s: float) -> None:
        """Record that a participant received the news."""
        self.news.record(now_s - self._news_s)

    def record_error(self, error: Exception | None) -> None:
        """Record a connection that the server closed."""
        if not self.over:
            self.errors[f"connection lost: {error or 'closed'}"] += 1

    def replace(self, answerer: Answerer) -> None:
        """Remove an idle connection."""
        if answerer in self._free:
            self._free.remove(answerer)

    def record_answer(self, answerer: Answerer, status: bytes, due_s: float) -> None:
        """Record an acknowledged answer, and send the next waiting one."""
        self._unanswered -= 1
        self.answers.record(perf_counter() - due_s)
        if status != b"201":
            self.errors[f"answer: status {status.decode()}"] += 1
        if self._queue:
            answerer.send(*self._queue.popleft())
        else:
            self._free.append(answerer)

    # Called by suites

    async def watch(self, seconds: float) -> Busy:
        """Wait, and return the load of server and generator."""
        server_s, client_s, began_s = self.scenario.server.cpu_s(), time.process_time(), perf_counter()
        await asyncio.sleep(seconds)
        took_s = perf_counter() - began_s
        return Busy((self.scenario.server.cpu_s() - server_s) / took_s, (time.process_time() - client_s) / took_s)

    def start_counting(self) -> None:
        """Record polls that are due from now on."""
        self._quiet_from_s = perf_counter()

    def expect_news(self, words: bytes) -> None:
        """Expect these words in responses from now on, and record later polls separately."""
        self.news = Histogram()
        for phone in self._participants:
            phone.knows = False
        self._needle, self.needle_overlap = words, len(words) - 1
        self._busy_from_s = self._news_s = perf_counter()

    def answer_within(self, requests: Sequence[bytes], seconds: float) -> None:
        """Schedule each answer at a random time within `seconds`."""
        now_s = perf_counter()
        for request in requests:
            self.wheel.add(now_s + self._random.random() * seconds, partial(self._answer, request))

    def answer_every(self, requests: Sequence[bytes], every_s: float) -> None:
        """Schedule each answer once in every `every_s`, until the end."""
        now_s = perf_counter()
        for request in requests:
            self.wheel.add(now_s + self._random.random() * every_s, partial(self._answer_again, request, every_s))

    async def wait_for_news(self, within_s: float) -> None:
        """Wait until every participant has the news. A participant without it is an error."""
        until_s = perf_counter() + within_s
        while self.news.count < len(self._participants) and perf_counter() < until_s:  # noqa: ASYNC110 - as in `drained`
            await asyncio.sleep(0.01)
        if unreached := len(self._participants) - self.news.count:
            self.errors["never notified"] += unreached

    async def wait_for_answers(self) -> None:
        """Wait until every answer is acknowledged.

        An answer without acknowledgement is an error.
        """
        until_s = perf_counter() + DRAIN_S
        while self._unanswered and perf_counter() < until_s:  # noqa: ASYNC110 - an event would cost every answer a look at it
            await asyncio.sleep(0.05)
        if self._unanswered:
            self.errors["answers never acknowledged"] += self._unanswered

    def _answer(self, request: bytes, due_s: float) -> None:
        self._unanswered += 1
        if self._free:
            self._free.popleft().send(request, due_s)
        else:
            self._queue.append((request, due_s))

    def _answer_again(self, request: bytes, every_s: float, due_s: float) -> None:
        if not self.over:
            self.wheel.add(due_s + every_s, partial(self._answer_again, request, every_s))
            self._answer(request, due_s)


def _local(number: int) -> tuple[str, int] | None:
    """Return the local address of a connection.

    The default address is not named, which saves a port search.
    """
    address = open_files.source_address(number)
    return None if address == "127.0.0.1" else (address, 0)
