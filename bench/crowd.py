"""Everyone in the room, in this process: one event loop, one timer, one connection each.

The loop is open: every request has a time at which it is due, whether or not the answers before it have come, and its latency is
counted from that time. A server that stalls is therefore charged for everyone who would have asked meanwhile.
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

from bench import files
from bench.histogram import Histogram
from bench.phones import TRANSPORTS, Answerer, Phone
from bench.wheel import Ticker, Wheel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bench.stage import Stage

PERIOD_S = 2.0
JITTER = 0.1
BATCH = 500
"""Connections that are opened at once: fewer than a listening socket can have waiting."""

DRAIN_S = 15.0
ANSWERERS = 256
PEOPLE_FOR_EACH_ANSWERER = 8
NO_NEWS = b"\0"
"""In no answer, so nobody has the news yet."""


@dataclass(slots=True)
class Busy:
    """Shares of one core over a while."""

    server: float = 0.0
    client: float = 0.0


class Crowd:
    """The participants of a stage, each on a transport, and what they saw."""

    def __init__(self, stage: Stage, transport: str = "poll", *, period_s: float = PERIOD_S) -> None:
        self.stage = stage
        self.period_s = period_s
        self.over = False
        self.errors: Counter[str] = Counter()
        self.quiet, self.busy, self.answers, self.news, self.late = (Histogram() for _ in range(5))
        self.streaming = 0
        self.needle_overlap = 1
        self._needle = NO_NEWS
        self._news_s = 0.0
        self._quiet_from_s = self._busy_from_s = inf
        self._random = Random(len(stage.seats))
        self._kind = TRANSPORTS[transport]
        self._phones: list[Phone] = []
        self._answerers: list[Answerer] = []
        self._free: deque[Answerer] = deque()
        self._queue: deque[tuple[bytes, float]] = deque()
        self._unanswered = 0

    @asynccontextmanager
    async def present(self) -> AsyncIterator[Crowd]:
        """Connect everyone and let them begin, spread over one period each; at the end hang up."""
        files.require(len(self.stage.seats))
        ticker = Ticker()
        loop = asyncio.get_running_loop()
        loop.add_reader(ticker.file, self._tick, ticker)
        self.wheel = Wheel(perf_counter())
        try:
            async for phones in self._connected([partial(self._kind, self, token) for _, token in self.stage.seats]):
                self._phones += phones
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
            for each in (*self._phones, *self._answerers):
                each.transport.abort()
            gc.enable()
            gc.unfreeze()

    async def prepare_answers(self) -> None:
        """Open the connections for the answers; shortly before they are needed, as a server closes idle ones."""
        amount = min(ANSWERERS, max(PEOPLE_FOR_EACH_ANSWERER, len(self._phones) // PEOPLE_FOR_EACH_ANSWERER))
        async for answerers in self._connected([partial(Answerer, self)] * amount):
            self._answerers += answerers
        self._free = deque(self._answerers)

    async def _connected(self, makers: Sequence[partial]) -> AsyncIterator[list]:
        """Connect in batches and yield each: a server closes a connection on which nobody says anything."""
        loop, port = asyncio.get_running_loop(), self.stage.server.port
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

    # What the phones tell --------------------------------------------------------------------------------------------

    def pause_s(self) -> float:
        """Return how long to wait from one poll to the next."""
        return self.period_s * (1 + JITTER * (2 * self._random.random() - 1))

    def polled(self, due_s: float, now_s: float) -> None:
        """Count an answer to where its request belongs."""
        if due_s >= self._busy_from_s:
            self.busy.record(now_s - due_s)
        elif due_s >= self._quiet_from_s:
            self.quiet.record(now_s - due_s)

    def is_news(self, data: bytes) -> bool:
        """Tell whether the awaited words are in there."""
        return self._needle in data

    def told(self, now_s: float) -> None:
        """Count somebody who now has the news."""
        self.news.record(now_s - self._news_s)

    def lost(self, error: Exception | None) -> None:
        """Count a connection that the server closed."""
        if not self.over:
            self.errors[f"connection lost: {error or 'closed'}"] += 1

    def gone(self, answerer: Answerer) -> None:
        """Take an idle connection out of use."""
        if answerer in self._free:
            self._free.remove(answerer)

    def answered(self, answerer: Answerer, status: bytes, due_s: float) -> None:
        """Count an acknowledged answer, and send the next one that waits for a connection."""
        self._unanswered -= 1
        self.answers.record(perf_counter() - due_s)
        if status != b"201":
            self.errors[f"answer: status {status.decode()}"] += 1
        if self._queue:
            answerer.send(*self._queue.popleft())
        else:
            self._free.append(answerer)

    # What the suites ask ---------------------------------------------------------------------------------------------

    async def watch(self, seconds: float) -> Busy:
        """Let time pass, and return how busy server and generator were."""
        server_s, client_s, began_s = self.stage.server.cpu_s(), time.process_time(), perf_counter()
        await asyncio.sleep(seconds)
        took_s = perf_counter() - began_s
        return Busy((self.stage.server.cpu_s() - server_s) / took_s, (time.process_time() - client_s) / took_s)

    def begin_to_count(self) -> None:
        """Count polls that are due from now on."""
        self._quiet_from_s = perf_counter()

    def expect_news(self, words: bytes) -> None:
        """Watch for these words, which the server learns of now; polls from now on are counted apart."""
        self.news = Histogram()
        for phone in self._phones:
            phone.knows = False
        self._needle, self.needle_overlap = words, len(words) - 1
        self._busy_from_s = self._news_s = perf_counter()

    def answer_within(self, requests: Sequence[bytes], seconds: float) -> None:
        """Let each answer be due at some time within so many seconds."""
        now_s = perf_counter()
        for request in requests:
            self.wheel.add(now_s + self._random.random() * seconds, partial(self._answer, request))

    def answer_again_and_again(self, requests: Sequence[bytes], every_s: float) -> None:
        """Let each answer be due once in so many seconds, until the end."""
        now_s = perf_counter()
        for request in requests:
            self.wheel.add(now_s + self._random.random() * every_s, partial(self._answer_again, request, every_s))

    async def all_told(self, within_s: float) -> None:
        """Wait until everyone has the news; who has not is an error."""
        until_s = perf_counter() + within_s
        while self.news.count < len(self._phones) and perf_counter() < until_s:  # noqa: ASYNC110 - as in `drained`
            await asyncio.sleep(0.01)
        if untold := len(self._phones) - self.news.count:
            self.errors["never told"] += untold

    async def drained(self) -> None:
        """Wait until every answer is acknowledged; one that is not is an error."""
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
    """Return whence to connect; the first address is taken anyway, and naming it would cost the search for a port."""
    address = files.source(number)
    return None if address == "127.0.0.1" else (address, 0)
