"""Unit tests: a slow request learns that its client is gone, from a connection or from a task."""

import asyncio
from typing import Any

import pytest

from conflicto.platform.http.messages import Request


class Connection:
    """A connection of our own server, with its transport."""

    def __init__(self, *, is_closing: bool = False) -> None:
        self.transport = self
        self.on_lost: Any = None
        self.closing = is_closing

    def is_closing(self) -> bool:
        return self.closing


def request_on(connection: Connection | None) -> Request:
    route: Any = None
    request = Request(route=route, params={}, headers=[], query_string=b"", address="", request_id="")
    request.connection = connection  # type: ignore[assignment]
    return request


async def test_a_connection_reports_to_the_request_that_waits_and_no_later_one() -> None:
    connection, calls = Connection(), []
    with request_on(connection).on_disconnect(lambda: calls.append("gone")):
        assert calls == []
        connection.on_lost()
    assert (calls, connection.on_lost) == (["gone"], None)


async def test_a_request_learns_that_its_client_is_gone_already() -> None:
    calls: list[str] = []
    with request_on(Connection(is_closing=True)).on_disconnect(lambda: calls.append("gone")):
        assert calls == ["gone"]


@pytest.mark.parametrize("leaves", [True, False])
async def test_other_servers_report_by_a_message(leaves: bool) -> None:
    gone, request = asyncio.Event(), request_on(None)

    async def receive() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect" if leaves else "http.request"}

    request.receive = receive
    with request.on_disconnect(gone.set):
        await asyncio.wait_for(gone.wait(), 180) if leaves else await asyncio.sleep(0)
    assert gone.is_set() is leaves
