"""Open-loop load: requests are sent on schedule, whether or not earlier ones were answered.

Latency counts from the time when a request was due. A client that falls behind cannot hide the
waits of its users.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """A response: its due time since the start of the load, and its duration, seconds."""

    due_s: float
    took_s: float
    status: int
    retry_after: str | None


@dataclass
class Sender:
    """A sender of POSTs to one server.

    It opens as many connections as necessary, and reuses free ones.
    """

    port: int
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def post(self, path: str, body: Any, token: str | None = None) -> tuple[int, dict[str, str], bytes]:
        reader, writer = self.free.pop() if self.free else await asyncio.open_connection("127.0.0.1", self.port)
        content = json.dumps(body).encode()
        who = f"Authorization: Bearer {token}\r\n" if token else ""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{who}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content)
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        answer = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            writer.close()
        else:
            self.free.append((reader, writer))
        return int(start.split()[1]), headers, answer

    async def at_rate(self, rate: float, seconds: float, path: str, tokens: Sequence[str]) -> list[TimedAnswer]:
        """Send `rate` responses a second for `seconds`, from each of `tokens` in turn.

        Returns the server's replies in order.
        """
        began = time.monotonic()

        async def one(number: int) -> TimedAnswer:
            due = began + number / rate
            await asyncio.sleep(due - time.monotonic())
            status, headers, _ = await self.post(path, {"response_data": number}, tokens[number % len(tokens)])
            return TimedAnswer(due - began, time.monotonic() - due, status, headers.get("retry-after"))

        async with asyncio.timeout(seconds + PATIENCE_S):
            return await asyncio.gather(*(one(number) for number in range(int(rate * seconds))))

    async def closed(self, seconds: float, path: str, tokens: Sequence[str]) -> float:
        """Send responses from each of `tokens` in sequence for `seconds`.

        Returns the number of accepted responses a second.
        """
        until, taken = time.monotonic() + seconds, 0

        async def phone(token: str) -> None:
            nonlocal taken
            while time.monotonic() < until:
                status, _, _ = await self.post(path, {"response_data": 1}, token)
                taken += status == 201

        await asyncio.gather(*(phone(token) for token in tokens))
        return taken / seconds

    def close(self) -> None:
        for _, writer in self.free:
            writer.close()
