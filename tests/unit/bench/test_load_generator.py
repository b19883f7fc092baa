"""Tests of the load generator against a simulated server: it records all responses and errors."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from bench.load_generator import LoadGenerator
from tests.support.patience import PATIENCE_S

NOT_MODIFIED = b'HTTP/1.1 304 Not Modified\r\netag: "1"\r\n\r\n'
STATUS = b'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: 2\r\n\r\n{}'
CREATED = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"
PERIOD_S = 0.05
LIMIT_S = PATIENCE_S

Answering = Callable[[bytes, asyncio.Transport], object]


class Connection(asyncio.Protocol):
    def __init__(self, answer: Answering) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.answer(data, self.transport)


@asynccontextmanager
async def crowd_at(answer: Answering, people: int, transport: str = "poll") -> AsyncIterator[LoadGenerator]:
    """A generator at a server that calls `answer` with each request."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(answer), "127.0.0.1", 0)
    seats = [(number, f"token-{number}") for number in range(people)]
    scenario = SimpleNamespace(path="/sessions/1", seats=seats, server=SimpleNamespace(port=server.sockets[0].getsockname()[1]))
    try:
        async with LoadGenerator(scenario, transport, period_s=PERIOD_S).running() as generator:
            yield generator
    finally:
        server.close()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not reached():  # noqa: ASYNC110 - what is waited for are plain counters
            await asyncio.sleep(0)


def feed(head: bytes, transport: asyncio.Transport) -> None:
    transport.write(NOT_MODIFIED if b"if-none-match" in head else STATUS)


async def test_everyone_polls_with_their_own_token_and_then_with_the_tag_that_they_were_given() -> None:
    heads: list[bytes] = []

    def answer(head: bytes, transport: asyncio.Transport) -> None:
        heads.append(head)
        feed(head, transport)

    async with crowd_at(answer, 10) as generator:
        await until(lambda: len(heads) >= 60)

    assert {head.split(b"Bearer ")[1].split(b"\r")[0] for head in heads} == {b"token-%d" % number for number in range(10)}
    assert sum(b"if-none-match" not in head for head in heads) == 10
    assert heads[-1].endswith(b'\r\nif-none-match: "1"\r\n\r\n')
    assert generator.errors == {}


async def test_a_stall_is_charged_for_every_poll_that_was_due_meanwhile() -> None:
    sent: list[bytes] = []

    def answer(head: bytes, transport: asyncio.Transport) -> None:
        sent.append(head)
        asyncio.get_running_loop().call_later(20 * PERIOD_S if len(sent) == 1 else 0, transport.write, NOT_MODIFIED)

    async with crowd_at(answer, 1) as generator:
        generator.start_counting()
        await until(lambda: generator.quiet.count >= 15)
        # The first ran all the time; the requests due behind it were sent together, and none of
        # them is lost.
        assert len(sent) <= 3

    assert generator.quiet.largest_s >= 18 * PERIOD_S
    assert generator.quiet.percentile_ms(50) >= 5 * PERIOD_S * 1000


async def test_polls_before_and_after_a_change_are_counted_separately() -> None:
    async with crowd_at(feed, 1) as generator:
        generator.start_counting()
        await until(lambda: generator.quiet.count >= 3)
        before = generator.quiet.count
        generator.expect_news(b"never")
        await until(lambda: generator.busy.count >= 3)

    assert generator.quiet.count <= before + 1  # one may have been running


@pytest.mark.parametrize("cut", [1, 4, 9])
async def test_a_stream_cut_inside_an_event_sends_it_once(cut: int) -> None:
    streams: list[asyncio.Transport] = []
    words = b"the-new-id"

    def answer(head: bytes, transport: asyncio.Transport) -> None:
        transport.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        streams.append(transport)

    async with crowd_at(answer, 1, "stream") as generator:
        await until(lambda: generator.streaming == 1)
        generator.expect_news(words)
        streams[0].write(b"data: " + words[:cut])
        rest = words[cut:] + b"\n\ndata: " + words + b"\n\n"
        asyncio.get_running_loop().call_later(0.02, streams[0].write, rest)  # later, so that the chunks arrive separately
        await generator.wait_for_news(LIMIT_S)
        assert (generator.news.count, generator.errors) == (1, {})


async def test_a_missing_role_is_an_error() -> None:
    async with crowd_at(feed, 3) as generator:
        generator.expect_news(b"never")
        await generator.wait_for_news(0.1)

    assert generator.errors == {"never notified": 3}


async def test_more_answers_than_connections_wait_for_one_and_count_from_when_they_were_due() -> None:
    def answer(head: bytes, transport: asyncio.Transport) -> None:
        if head.startswith(b"POST"):
            asyncio.get_running_loop().call_later(0.02, transport.write, CREATED)
        else:
            transport.write(NOT_MODIFIED)

    async with crowd_at(answer, 4) as generator:
        await generator.prepare_answers()
        generator.answer_within([b"POST /answer HTTP/1.1\r\n\r\n"] * 80, 0.001)  # over 8 connections: ten each, in sequence
        await until(lambda: generator.answers.count > 0)
        await generator.wait_for_answers()

    assert (generator.answers.count, generator.errors) == (80, {})
    assert generator.answers.largest_s >= 10 * 0.02
    assert generator.answers.percentile_ms(50) >= 4 * 20


async def test_answers_that_are_not_acknowledged_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.load_generator.DRAIN_S", 0.1)

    async with crowd_at(lambda head, transport: head.startswith(b"POST") or feed(head, transport), 1) as generator:
        await generator.prepare_answers()
        generator.answer_within([b"POST /answer HTTP/1.1\r\n\r\n"] * 20, 0)
        await until(lambda: not generator._free)
        await generator.wait_for_answers()

    assert generator.errors == {"answers never acknowledged": 20}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda _, transport: transport.write(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"), "status 500"),
        (lambda _, transport: transport.close(), "connection lost: closed"),
    ],
    ids=["a wrong status", "a closed connection"],
)
async def test_what_goes_wrong_is_counted(answer: Answering, error: str) -> None:
    async with crowd_at(answer, 2) as generator:
        await until(lambda: generator.errors[error] >= 2)
        assert set(generator.errors) == {error}
