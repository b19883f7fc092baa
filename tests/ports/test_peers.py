"""Peers: workers of one machine write for each other, and follow each other's commits."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from conflicto.activities.model import ResponsePolicy
from conflicto.platform.db.batches import SharedBatch
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.platform.peers import frames
from conflicto.platform.peers.frames import FrameConnection, encode_frame
from conflicto.platform.peers.messages import VERSION, CommitMessage, ForwardedCommand, HeadFields, Message, Ping, Serving
from conflicto.platform.problems import DomainError, InternalError, NotFound, Unavailable
from conflicto.responses.commands.submit import Submission, submit_many
from conflicto.responses.model import ResponseContent
from conflicto.responses.queries import session_feed
from conflicto.responses.recent_responses import RecentResponses
from conflicto.sessions.commands import set_locked
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.idempotency.store import Key, key_from
from tests.support.kit import Stage, set_stage
from tests.support.patience import PATIENCE_S
from tests.support.peers import GREETING, Worker, until, working

OLDEST, YOUNGER = 1, 2
"""Process ids: the oldest worker writes."""

WORKERS, ITEMS = 4, 24


@pytest.fixture
async def pair(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Worker, Worker]]:
    async with working(database_url, tmp_path, OLDEST) as first, working(database_url, tmp_path, YOUNGER) as second:
        await first.meets(YOUNGER)
        await second.meets(OLDEST)
        yield first, second


def key(name: str) -> Key:
    made = key_from(name, subject="test", route="test", body=b"")
    assert made is not None
    return made


def stored(tx: ReadTx, stage: Stage) -> list[tuple[int, str]]:
    """Return timestamp and text of every response, in feed order."""
    through = read_head(tx, stage.session_id).ts
    rows = session_feed(tx, stage.session_id, after=0, through=through, limit=10_000, excluded_activities=(), visible_only=False)
    return [(row.ts, row.text) for row in rows]


class Gate:
    """A command that keeps a worker's writer busy until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, _: WriteTx) -> None:
        self._loop.call_soon_threadsafe(self.entered.set)
        asyncio.run_coroutine_threadsafe(self.opened.wait(), self._loop).result(PATIENCE_S)


@asynccontextmanager
async def queued(worker: Worker, *waiting: Awaitable[Any]) -> AsyncIterator[list[asyncio.Future[Any]]]:
    """Yield futures of commands in the queue of a worker's writer, which waits until the end."""
    gate = Gate()
    blocking = asyncio.create_task(worker.writer.run((), gate))
    await gate.entered.wait()
    futures = [asyncio.ensure_future(each) for each in waiting]
    await until(lambda: worker.writer.queued == 1 + len(futures))
    try:
        yield futures
    finally:
        gate.opened.set()
        await blocking


async def test_the_oldest_worker_writes_for_all_and_all_know_it_at_once(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    stage = set_stage(first.kit, people=2)
    await first.sessions.get(stage.session_id)
    await second.sessions.get(stage.session_id)
    for number, worker in enumerate((first, second, second, first)):
        result = await worker.submit(stage, number % 2, f'"{number}"')
        state = worker.sessions.cached(stage.session_id)
        assert state is not None
        assert state.position == result.response.ts
        assert state.parts[RecentResponses].rows.get(result.response.id) == result.response
    assert len(first.commits) == 4
    assert second.commits == []
    assert [text for _, text in stored_now(first, stage)] == ['"0"', '"1"', '"2"', '"3"']


def stored_now(worker: Worker, stage: Stage) -> list[tuple[int, str]]:
    return worker.kit.db.query(stored, stage)


async def test_a_refusal_arrives_as_it_was_raised(pair: tuple[Worker, Worker]) -> None:
    _, second = pair
    stage = set_stage(second.kit, people=1)
    with pytest.raises(NotFound):
        await second.submit(Stage(stage.session_id, UUID(int=9), stage.people), 0, '"x"')


@pytest.mark.parametrize(
    ("outcome", "types"),
    [
        (object(), {"value": Any}),
        (ValueError("a fault"), {"value": int}),
        (NotFound(extensions={"odd": object()}), {"value": int}),
        ("no number", {"value": int}),
        (1, {"value": int, "item": int}),
    ],
    ids=["unencodable value", "other error", "unencodable error", "undecodable value", "undecodable item"],
)
async def test_a_fault_of_a_forwarded_command_is_an_internal_error_for_its_caller(
    pair: tuple[Worker, Worker], outcome: object, types: dict[str, Any]
) -> None:
    def batch(_: WriteTx, items: list[Any]) -> list[Any]:
        return [outcome for _ in items]

    first, second = pair
    stage = set_stage(first.kit, people=1)
    for worker in pair:
        worker.writer.batches.register(SharedBatch("faulty", batch, **{"item": str, "keys": Any} | types))
    with capture_logs() as logs, pytest.raises(InternalError):
        async with asyncio.timeout(PATIENCE_S):
            await second.writer.submit(stage.session_id, batch, "item", ())
    assert {line["event"] for line in logs if line["log_level"] == "error"} <= {"forwarded-command-failed", "reply-unreadable"}
    assert any("exc_info" in line for line in logs)


async def test_other_commits_are_read_before_the_next_request(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    stage = set_stage(first.kit, people=1)
    state = await second.sessions.get(stage.session_id)
    await first.sessions.get(stage.session_id)
    await first.writer.run(stage.session_id, set_locked, stage.session_id, locked=True)
    await until(lambda: state.is_behind or state.session.locked)
    assert (await second.sessions.get(stage.session_id)).session.locked


async def test_a_session_that_is_being_loaded_gets_no_older_state(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    stage = set_stage(first.kit, people=1)
    result = await asyncio.gather(second.sessions.get(stage.session_id), second.submit(stage, 0, '"x"'))
    assert (await second.sessions.get(stage.session_id)).position == result[1].response.ts


async def test_a_lost_writer_is_replaced_and_a_keyed_answer_is_stored_once(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    stage = set_stage(first.kit, people=2)
    keyed, unkeyed = second.submit(stage, 0, '"keyed"', key("a")), second.submit(stage, 1, '"unkeyed"')
    async with queued(first, keyed, unkeyed) as (repeated, unknown):
        first.peers.close()  # of the connections; the queue of the first worker stays
        with pytest.raises(Unavailable):
            await unknown
        if second.kit.db.is_shared:
            await repeated
    assert (await repeated).status == 201
    await until(lambda: first.writer.queued == 0)
    assert sorted(text for _, text in stored_now(first, stage)) == ['"keyed"', '"unkeyed"']


async def test_a_worker_that_leaves_refuses_nothing(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    stage = set_stage(first.kit, people=1)
    first.peers.leave()
    stopping = asyncio.create_task(first.writer.stop())
    results = await asyncio.gather(*(second.submit(stage, 0, f'"{number}"') for number in range(5)))
    await stopping
    assert [result.status for result in results] == [201] * 5
    await second.meets()
    assert (await second.submit(stage, 0, '"later"')).status == 201


@pytest.fixture
async def beside_a_hung_worker(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Worker, list[Message]]]:
    """A worker, and the messages to an older one that did nothing but say that it serves."""
    received: list[Message] = []

    def accept() -> FrameConnection:
        return FrameConnection(lambda _, message: received.append(message), lambda _: None, lambda made: made.send(GREETING))

    server = await asyncio.get_running_loop().create_unix_server(accept, str(tmp_path / f"{OLDEST}.sock"))
    async with working(database_url, tmp_path, YOUNGER) as worker:
        await worker.meets(OLDEST)
        yield worker, received
    server.close()


async def test_files_of_other_names_are_left_alone(database_url: str, tmp_path: Path) -> None:
    for name in ("1x.sock", "0.sock", "\u0662.sock", "9" * 40 + ".sock", "notes"):
        (tmp_path / name).touch()
    async with working(database_url, tmp_path, OLDEST) as first, working(database_url, tmp_path, YOUNGER) as second:
        await first.meets(YOUNGER)
        await second.meets(OLDEST)


async def test_workers_meet_after_their_folder_was_away(database_url: str, tmp_path: Path) -> None:
    folder, away = tmp_path / "sockets", tmp_path / "away"
    folder.mkdir()
    with capture_logs() as logs:
        async with working(database_url, folder, OLDEST) as first:
            folder.rename(away)
            await until(lambda: any(line["event"] == "peer-scan-failed" for line in logs))
            away.rename(folder)
            async with working(database_url, folder, YOUNGER):
                await first.meets(YOUNGER)
    assert len([line for line in logs if line["event"] == "peer-scan-failed"]) == 1


@pytest.mark.parametrize("greeting", [Serving("another", VERSION), Serving("conflicto", VERSION + 1)])
async def test_a_worker_of_another_database_or_version_is_ignored(database_url: str, tmp_path: Path, greeting: Serving) -> None:
    """Neither its commits are followed, nor does it write, although it is the oldest."""
    stranger, received = list[FrameConnection](), list[Message]()

    def accept() -> FrameConnection:
        return FrameConnection(lambda _, message: received.append(message), lambda _: None, welcome)

    def welcome(made: FrameConnection) -> None:
        stranger.append(made)
        made.send(greeting)

    server = await asyncio.get_running_loop().create_unix_server(accept, str(tmp_path / f"{OLDEST}.sock"))
    with capture_logs() as logs:
        async with working(database_url, tmp_path, YOUNGER) as worker:
            stage = set_stage(worker.kit, people=1)
            state = await worker.sessions.get(stage.session_id)
            await until(lambda: any(line["event"] == "worker-ignored" for line in logs))
            stranger[0].send(CommitMessage([HeadFields(stage.session_id, 2**60, 0, 0, 0, {})], None))
            await worker.peers._scan()
            assert (await worker.submit(stage, 0, '"x"')).status == 201
            await until(lambda: any(isinstance(message, Ping) for message in received))
            assert worker.peers.ready == frozenset()
            assert not state.is_behind
    server.close()
    assert [line["theirs"] for line in logs if line["event"] == "worker-ignored"] == [structs.asdict(greeting)]


async def test_a_hung_writer_is_given_up(beside_a_hung_worker: tuple[Worker, list[Message]]) -> None:
    worker, received = beside_a_hung_worker
    stage = set_stage(worker.kit, people=1)
    waiting = asyncio.create_task(worker.submit(stage, 0, '"x"', key("a")))
    await until(lambda: any(isinstance(each, ForwardedCommand) for each in received))
    worker.clock.advance(3)
    assert (await waiting).status == 201
    assert [text for _, text in stored_now(worker, stage)] == ['"x"']


async def test_an_answer_that_nobody_awaits_any_more_is_not_repeated(
    beside_a_hung_worker: tuple[Worker, list[Message]],
) -> None:
    worker, received = beside_a_hung_worker
    stage = set_stage(worker.kit, people=1)
    waiting = asyncio.create_task(worker.submit(stage, 0, '"x"', key("a")))
    await until(lambda: any(isinstance(each, ForwardedCommand) for each in received))
    waiting.cancel()
    worker.clock.advance(3)
    await until(lambda: not worker.peers.ready)
    assert stored_now(worker, stage) == []


async def test_a_worker_that_does_not_read_is_cut_off(
    beside_a_hung_worker: tuple[Worker, list[Message]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, _ = beside_a_hung_worker
    monkeypatch.setattr(frames, "MAX_UNSENT_BYTES", 10_000)
    stage, connections = set_stage(worker.kit, people=1), worker.peers._followers
    with socket.socket(socket.AF_UNIX) as unread:
        unread.connect(str(tmp_path / f"{YOUNGER}.sock"))
        await until(lambda: len(connections) == 1)
        while connections:
            await worker.writer.run(stage.session_id, lambda tx: submit_many(tx, [large(stage)]))


def large(stage: Stage) -> Submission:
    return Submission(stage.session_id, stage.activity_id, stage.people[0], ResponseContent(f'"{"x" * 16_000}"'), 1)


async def test_a_crowd_does_not_delay_another_session(pair: tuple[Worker, Worker]) -> None:
    first, second = pair
    crowd, small = (set_stage(first.kit, people=people) for people in (40, 1))
    flood = [second.submit(crowd, number % 40, f'"{number}"') for number in range(1_200)]
    finished: list[int] = []
    async with queued(first, *flood) as waiting:
        other = asyncio.ensure_future(second.submit(small, 0, '"x"'))
        other.add_done_callback(lambda _: finished.append(sum(each.done() for each in waiting)))
        await until(lambda: first.writer.queued == len(flood) + 2)
    await asyncio.gather(other, *waiting)
    assert finished[0] < len(flood) / 2


@pytest.mark.parametrize("seed", range(3))
async def test_the_feed_has_every_answer_once_in_order_whoever_comes_and_goes(database_url: str, tmp_path: Path, seed: int) -> None:
    """Four workers with random delays; connections break, and a worker leaves meanwhile.

    A commit that a broken connection lost is found by the sweep, as between machines.
    """
    rng = Random(seed)
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(working(database_url, tmp_path, pid)) for pid in range(1, 1 + WORKERS)]
        for worker in workers:
            await until(lambda worker=worker: len(worker.peers.ready) == WORKERS - 1)
        stage = set_stage(workers[0].kit, people=WORKERS * ITEMS, policy=ResponsePolicy.MANY)
        for worker in workers:
            await worker.sessions.get(stage.session_id)
        acknowledged: list[int] = []

        async def answer(place: int, worker: Worker) -> None:
            for number in range(ITEMS):
                await asyncio.sleep(rng.random() * 0.01)
                who = place * ITEMS + number
                result = await worker.submit(stage, who, str(who), key(f"{who}"))
                acknowledged.append(result.response.ts)

        async def disturb() -> None:
            for _ in range(6):
                await asyncio.sleep(rng.random() * 0.05)
                rng.choice(workers).peers.close()

        await asyncio.gather(disturb(), *(answer(*each) for each in enumerate(workers)))
        rows = stored_now(workers[0], stage)
        timestamps = [ts for ts, _ in rows]
        assert sorted(timestamps) == timestamps
        assert len(set(timestamps)) == len(timestamps)
        assert sorted(int(text) for _, text in rows) == list(range(WORKERS * ITEMS))
        assert sorted(acknowledged) == timestamps
        for worker in workers:
            state = await worker.sessions.get(stage.session_id)
            await worker.sessions.sweep()
            await until(lambda state=state: state.position == timestamps[-1])


async def test_unknown_errors_are_those_of_the_domain(pair: tuple[Worker, Worker]) -> None:
    """A batch that fails is an internal error of the writer, and the caller gets its class."""
    _, second = pair
    stage = set_stage(second.kit, people=1)
    broken = Submission(stage.session_id, stage.activity_id, stage.people[0], None, 1)  # type: ignore[arg-type]
    with pytest.raises(DomainError):
        await second.writer.submit(stage.session_id, submit_many, broken, ())


def test_frames_may_arrive_in_any_pieces() -> None:
    received: list[Message] = []
    connection = FrameConnection(lambda _, message: received.append(message), lambda _: None)
    content = encode_frame([GREETING, GREETING]) + encode_frame([GREETING])
    for place in range(len(content)):
        connection.data_received(content[place : place + 1])
    assert received == [GREETING] * 3
