"""A quick shutdown: followers are disconnected properly, and acknowledged responses are stored."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.checks import eventually
from tests.support.processes import Served, served
from tests.support.wire import EventReader, connected, get

STREAMS, SEATS = 1_000, 200
MAX_SHUTDOWN_S = 10.0


def staged(server: Served, seats: int) -> tuple[str, dict[str, Any], str, list[str]]:
    session = server.call("POST", "/sessions", {"title": "Town hall"})
    path, host = f"/sessions/{session['id']}", session["host_token"]
    server.call("PATCH", path, {"status": "active"}, token=host)
    wall = server.call("POST", f"{path}/activities", {"type": "board", "status": "active", "response_policy": "many"}, token=host)
    joins = [{"nickname": f"Guest {number}", "code": session["join_code"]} for number in range(seats)]
    return path, session, wall["id"], [server.call("POST", f"{path}/join", join)["participant_token"] for join in joins]


@pytest.mark.catalogue("O-05", "F-17")
@pytest.mark.timed
async def test_a_thousand_streams_and_open_submits_drain_without_a_lost_acknowledgement(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    with served(tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        path, session, wall, seats = await asyncio.to_thread(staged, server, SEATS)
        async with AsyncExitStack() as stack:
            readers = [EventReader(await stack.enter_async_context(connected(port))) for _ in range(STREAMS)]
            await asyncio.gather(*(each.open(f"{path}/events", seats[number % SEATS]) for number, each in enumerate(readers)))
            senders = [asyncio.create_task(submit_until_closed(port, path, wall, seat, acknowledged)) for seat in seats[:8]]

            async def some() -> bool:
                return len(acknowledged) > 50

            await eventually(some)
            began = time.monotonic()
            server.process.terminate()
            received = await asyncio.gather(*(each.to_end() for each in readers))
            await asyncio.gather(*senders)
            code = await asyncio.to_thread(server.process.wait, 20)
            took_s = time.monotonic() - began
    retries = [each.retries[-1] for each in received]
    assert all(len(each.retries) == 2 for each in received)
    assert max(retries) - min(retries) > 1_000
    assert (code in {0, -15}, took_s < MAX_SHUTDOWN_S) == (True, True), (code, took_s)

    with served(tmp_path) as again:
        stored, since = set(), "0"
        while True:
            page = again.call("GET", f"{path}/activities/{wall}/responses/since/{since}?limit=1000", token=session["host_token"])
            stored |= {item["id"] for item in page["items"]}
            since = page["cursor"]
            if not page["has_more"]:
                break
    assert set(acknowledged) <= stored
    assert len(set(acknowledged)) == len(acknowledged)


async def submit_until_closed(port: int, path: str, wall: str, seat: str, acknowledged: list[str]) -> None:
    body = json.dumps({"response_data": "x"}).encode()
    head = ("content-type: application/json", f"content-length: {len(body)}")
    async with connected(port) as line:
        try:
            while True:
                await line.send(get(f"{path}/activities/{wall}/responses", seat, *head, method="POST") + body)
                status, _, answer = await line.answer()
                if status == 201:
                    acknowledged.append(json.loads(answer)["id"])
                else:
                    assert status == 503
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
