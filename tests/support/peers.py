"""Workers of one machine in one process, which find each other in a folder."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from conflicto.activities.commands.run import expire_with_session
from conflicto.platform.db.batches import SharedBatch
from conflicto.platform.db.group import Committed
from conflicto.platform.db.writer import Writer
from conflicto.platform.event_bus import EventBus
from conflicto.platform.peers.commits import CommitCodec
from conflicto.platform.peers.messages import VERSION, Serving
from conflicto.platform.peers.peers import Peers
from conflicto.responses.commands.submit import Submission, SubmitResult, submit_many
from conflicto.responses.model import ResponseContent
from conflicto.results.state_parts import STATE_PARTS
from conflicto.session_state.session_cache import SessionCache
from conflicto.sessions.events import SessionEnded
from conflicto.sessions.idempotency.store import Key
from tests.support.clocks import HandClock
from tests.support.kit import Kit, Stage
from tests.support.patience import PATIENCE_S

GREETING = Serving("conflicto", VERSION)


@dataclass
class Worker:
    """The services of one worker that take part in writing."""

    kit: Kit
    clock: HandClock
    sessions: SessionCache
    writer: Writer
    peers: Peers
    commits: list[Committed]

    async def submit(self, stage: Stage, who: int, text: str, key: Key | None = None) -> SubmitResult:
        person = stage.people[who]
        item = Submission(stage.session_id, stage.activity_id, person, ResponseContent(text), 1, key)
        keys = ((stage.activity_id.bytes, person), *((key.id,) if key else ()))
        result: SubmitResult = await self.writer.submit(
            stage.session_id, submit_many, item, keys, max_wait_s=PATIENCE_S, is_repeatable=key is not None
        )
        return result

    async def meets(self, *others: int) -> None:
        await until(lambda: self.peers.ready == set(others))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is awaited has no event of its own
            await asyncio.sleep(0.005)


@asynccontextmanager
async def working(url: str, folder: Path, pid: int) -> AsyncIterator[Worker]:
    """Yield a worker that runs."""
    bus, kit, clock = EventBus(), Kit(url, subscribers={SessionEnded: [expire_with_session]}), HandClock()
    sessions = SessionCache(kit.db, STATE_PARTS, bus)
    writer = Writer(kit.runner, clock, caller_s=PATIENCE_S, on_commit=bus.publish)
    writer.batches.register(
        SharedBatch("submit", submit_many, item=Submission, keys=tuple[tuple[bytes, int] | bytes, ...], value=SubmitResult)
    )
    codec = CommitCodec(STATE_PARTS.handlers, STATE_PARTS.event_fields)
    peers, commits = Peers(folder, writer, clock, codec, sessions.apply_of_peer, GREETING.issuer, pid), list[Committed]()
    sessions.subscribe(bus)
    peers.subscribe(bus)
    bus.subscribe(Committed, commits.append)
    writer.start()
    await peers.start()
    looking = asyncio.create_task(peers.run())
    try:
        yield Worker(kit, clock, sessions, writer, peers, commits)
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        peers.leave()
        await writer.stop()
        peers.close()
        await asyncio.to_thread(kit.close)
