"""A fuzzer over sockets: heads and bodies that no client writes, for a server process."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httptools

from tests.support.fuzzing.cases import Case
from tests.support.fuzzing.exchange import PATIENCE_S, AsgiResponse, malformed
from tests.support.fuzzing.mutation import damaged, mutated
from tests.support.processes import Served
from tests.support.wire import parsed_head

TOGETHER = 24
FAULTS_IN_LOG = ("request-failed", "connection-failed", "Traceback")


@dataclass
class Reference:
    """The result of an HTTP parser: the number of whole requests, and an error flag."""

    whole: int = 0
    broken: bool = False

    @classmethod
    def of(cls, wire: bytes) -> "Reference":
        seen = cls()
        try:
            httptools.HttpRequestParser(seen).feed_data(wire)
        except httptools.HttpParserUpgrade:
            seen.whole = max(seen.whole, 1)
        except httptools.HttpParserError:
            seen.broken = True
        return seen

    def on_message_complete(self) -> None:
        self.whole += 1

    @property
    def wants_answer(self) -> bool:
        return bool(self.whole) or self.broken


def wire_of(seeds: list[Case], names: dict[bytes, bytes], seed: str, index: int) -> bytes:
    """Return the bytes of a case, usually damaged once more."""
    random = Random(f"{seed}/wire/{index}")
    wire = mutated(seeds, seed, index).filled(names).wire()
    for _ in range(random.choice((0, 1, 1, 2))):
        wire = damaged(wire, random)
    return wire


@dataclass
class WireFuzz:
    """A runner that sends cases and counts them."""

    server: Served
    port: int
    names: dict[bytes, bytes]
    seeds: list[Case]
    seed: str
    statuses: Counter[int] = field(default_factory=Counter)
    left_open: int = 0
    faults: list[str] = field(default_factory=list)

    async def run(self, count: int, first: int = 0) -> None:
        numbers = iter(range(first, first + count))

        async def sender() -> None:
            for index in numbers:
                await self.one(index, wire_of(self.seeds, self.names, self.seed, index))

        await asyncio.gather(*(sender() for _ in range(TOGETHER)))

    async def one(self, index: int, wire: bytes) -> None:
        """Send a case on a new connection.

        If a parser sees a request or invalid bytes, the server must respond.
        """
        reference = Reference.of(wire)
        try:
            async with asyncio.timeout(PATIENCE_S):
                response = await self._exchange(wire, wants_answer=reference.wants_answer)
        except (TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            self.faults.append(f"seed {self.seed}, case {index}: {error!r} ({reference})\n{wire!r}")
            return
        if response is None:
            self.left_open += 1
            return
        self.statuses[response.status] += 1
        fault = (
            f"a fault of ours: {response.status}" if response.status >= 500 else malformed(response, is_api=b" /api/" in wire[:20])
        )
        if fault:
            self.faults.append(f"seed {self.seed}, case {index}: {fault}\n{wire!r}")

    async def _exchange(self, wire: bytes, *, wants_answer: bool) -> AsgiResponse | None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)
        try:
            writer.write(wire)
            return await _answer(reader, head=wire.startswith(b"HEAD ")) if wants_answer else None
        except ConnectionError:
            return None  # closed after the refusal, while the rest of the request was still arriving
        finally:
            writer.close()

    def in_log(self) -> list[str]:
        """Return the lines of the server's log that report faults."""
        return [line for line in self.server.log.read_text().splitlines() if any(fault in line for fault in FAULTS_IN_LOG)]

    def report(self) -> str:
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return f"seed {self.seed}: {sum(self.statuses.values())} answered ({counts}), {self.left_open} left open, {len(self.faults)} faults"


async def _answer(reader: asyncio.StreamReader, *, head: bool) -> AsgiResponse:
    raw = await reader.readuntil(b"\r\n\r\n")
    while raw.startswith(b"HTTP/1.1 100 "):
        raw = await reader.readuntil(b"\r\n\r\n")
    status, headers = parsed_head(raw)
    length = 0 if head or status in {204, 304} else int(headers.get("content-length", "0"))
    body = await reader.readexactly(length)
    return AsgiResponse(status, {name.encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}, body)


def resident_mib(process_id: int) -> float:
    """Return the memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process_id}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
