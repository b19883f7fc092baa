"""R-01: a thousand phones behind one address join at once, while one guesses codes."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conflicto.access.code_guard import ADDRESS_POLICY
from tests.support.patience import PATIENCE_S
from tests.support.processes import Served, served
from tests.support.wire import parsed_head

PHONES = 1000
JOINED_S = 10.0
"""The documented limit, which is compared with the server's own processor time."""


def request(method: str, path: str, body: object = None, key: str = "", link_key: str = "") -> bytes:
    data = json.dumps(body).encode() if body is not None else b""
    lines = [f"{method} /api/v1{path} HTTP/1.1", "host: localhost", f"content-length: {len(data)}"]
    lines += ["content-type: application/json"] if data else []
    lines += [f"idempotency-key: {key}"] if key else []
    lines += [f"link-key: {link_key}"] if link_key else []
    return "\r\n".join([*lines, "", ""]).encode() + data


async def exchange(line: tuple[asyncio.StreamReader, asyncio.StreamWriter], sent: bytes) -> tuple[int, bytes]:
    reader, writer = line
    writer.write(sent)
    status, headers = parsed_head(await reader.readuntil(b"\r\n\r\n"))
    return status, await reader.readexactly(int(headers.get("content-length", "0")))


async def phone(port: int, code: str, number: int, link_key: str = "") -> tuple[int, int]:
    """Act as a phone after the scan or the typed code: look up the session and join."""
    line = await asyncio.open_connection("127.0.0.1", port)
    lobby, _ = await exchange(line, request("GET", f"/sessions/by-code/{code}", link_key=link_key))
    seat, _ = await exchange(
        line,
        request("POST", "/join", {"nickname": f"Guest {number}", "code": code}, key=f"phone-number-{number:06}", link_key=link_key),
    )
    line[1].close()
    return lobby, seat


async def guess(port: int, looked: list[int], stop: Callable[[], bool]) -> None:
    """Try wrong codes in sequence, and record the statuses."""
    line = await asyncio.open_connection("127.0.0.1", port)
    while not stop():
        code = "BCDF" + "".join("BCDFGHJKLM"[int(digit)] for digit in f"{len(looked) % 10_000:04}")
        looked.append((await exchange(line, request("GET", f"/sessions/by-code/{code}")))[0])
    line[1].close()


def port_of(server: Served) -> int:
    return int(server.url.rpartition(":")[2])


async def arrive(port: int, code: str, link_key: str = "") -> list[tuple[int, int]]:
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*(phone(port, code, number, link_key) for number in range(PHONES)))


async def arrive_among_guesses(port: int, code: str, link_key: str = "") -> tuple[list[tuple[int, int]], list[int]]:
    """Let all phones join after the guesser is refused, while the guesses continue."""
    looked: list[int] = []
    await guess(port, looked, lambda: 429 in looked)
    arriving = asyncio.create_task(arrive(port, code, link_key))
    await guess(port, looked, arriving.done)
    return await arriving, looked


def cpu_s(server: Served) -> float:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.catalogue("R-01")
@pytest.mark.parametrize("shared", [False, True])
def test_a_large_audience_behind_one_address_joins_at_once(tmp_path: Path, valkey_url: str, shared: bool) -> None:
    settings = {"CONFLICTO_RATE_LIMITS": "on"} | ({"REDIS_URL": valkey_url} if shared else {})
    with served(tmp_path, patient=True, **settings) as server:
        made = server.call("POST", "/sessions", {"title": "Lecture"})
        server.call("PATCH", f"/sessions/{made['id']}", {"status": "active"})
        seats = asyncio.run(arrive(port_of(server), made["join_code"]))

        assert set(seats) == {(200, 201)}
        assert server.call("GET", f"/sessions/{made['id']}/status")["participant_count"] == PHONES


@pytest.mark.catalogue("R-01")
@pytest.mark.timed
@pytest.mark.parametrize("shared", [False, True])
def test_a_large_audience_joins_within_the_documented_time(tmp_path: Path, valkey_url: str, shared: bool) -> None:
    settings = {"CONFLICTO_RATE_LIMITS": "on"} | ({"REDIS_URL": valkey_url} if shared else {})
    with served(tmp_path, **settings) as server:
        made = server.call("POST", "/sessions", {"title": "Lecture"})
        server.call("PATCH", f"/sessions/{made['id']}", {"status": "active"})
        before = cpu_s(server)
        seats = asyncio.run(arrive(port_of(server), made["join_code"]))

        assert set(seats) == {(200, 201)}
        assert cpu_s(server) - before < JOINED_S


@pytest.mark.catalogue("R-01", "E-02")
@pytest.mark.parametrize("link_key", [False, True])
def test_a_large_audience_joins_while_somebody_in_it_guesses(tmp_path: Path, link_key: bool) -> None:
    with served(tmp_path, patient=True, CONFLICTO_RATE_LIMITS="on") as server:
        made = server.call("POST", "/sessions", {"title": "Lecture"})
        server.call("PATCH", f"/sessions/{made['id']}", {"status": "active"})
        if not link_key:
            server.call("GET", f"/sessions/by-code/{made['join_code']}")  # the host tried the code, as hosts do
        began_s = time.monotonic()
        seats, looked = asyncio.run(arrive_among_guesses(port_of(server), made["join_code"], made["link_key"] if link_key else ""))
        max_looked = ADDRESS_POLICY.quota + (time.monotonic() - began_s) / ADDRESS_POLICY.interval_s + 1

        assert set(seats) == {(200, 201)}
        assert set(looked) == {404, 429}
        assert looked.count(404) <= max_looked
