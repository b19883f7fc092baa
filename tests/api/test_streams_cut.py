"""Streams that are cut at any byte: no leaked files, tasks or memory."""

import asyncio
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.support.api import Api, make_event
from tests.support.checks import eventually
from tests.support.wire import connected, get, listening

CYCLES = 400
AT_ONCE = 20
OF_THE_POOL = 8
"""Files that connections to the database may have opened meanwhile."""
MAX_CUT_BYTES = 700
"""Bytes after which a stream may be cut: more than a head and the first events."""


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.in_process
@pytest.mark.catalogue("O-04")
async def test_streams_and_waits_that_are_cut_anywhere_leave_nothing_behind(api: Api) -> None:
    event, rng = await make_event(api), Random(1)
    wall = await event.activity(status="active", response_policy="many")
    anna = await event.join()
    paths = (
        f"{event.path}/events",
        f"{event.path}/changes/since/now?wait=20",
        f"{event.path}/activities/{wall['id']}/responses/since/0?wait=20",
    )

    async def come_and_go(port: int) -> None:
        async with connected(port) as line:
            request = get(rng.choice(paths), event.host)
            await line.send(request[: rng.choice((len(request), len(request), rng.randrange(len(request))))])
            wanted = rng.randrange(MAX_CUT_BYTES)
            with suppress(TimeoutError, asyncio.IncompleteReadError):
                await asyncio.wait_for(line.reader.readexactly(wanted), 0.02)
            line.writer.transport.abort()

    async with listening(api.app) as port:
        await asyncio.gather(*(come_and_go(port) for _ in range(AT_ONCE)))
        await eventually(lambda: asyncio.sleep(0, not api.app.edge.connections.connections))
        before = len(asyncio.all_tasks()), open_files()
        for _ in range(CYCLES // AT_ONCE):
            await asyncio.gather(*(come_and_go(port) for _ in range(AT_ONCE)), event.answer(wall, anna, "x"))

        async def as_before() -> bool:
            left = api.app.edge.connections.connections, api.app.edge.streams.open_count, api.app.edge.long_poll.waiting
            return not any(left) and len(asyncio.all_tasks()) <= before[0] and open_files() <= before[1] + OF_THE_POOL

        await eventually(as_before)
