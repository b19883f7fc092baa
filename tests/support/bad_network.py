"""A bad network between server and database: bytes arrive late, never, or in one direction only."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto

from tests.support.patience import PATIENCE_S

CHUNK = 65_536


class Weather(Enum):
    FAIR = auto()
    SLOW = auto()
    """Delay every chunk by `delay_s`."""
    BLACK_HOLE = auto()
    """Accept all bytes and deliver none."""
    REFUSING = auto()
    """Reset open connections and refuse new ones."""


class Network:
    """A TCP relay in its own thread.

    Its faults may change at any time. `drop_after` drops the replies to certain bytes.
    """

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.weather = Weather.FAIR
        self.delay_s = 0.05
        self.drop_after: bytes | None = None
        self.drop_left = 0
        self.dropped = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(PATIENCE_S)

    def stop(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def cut(self) -> None:
        """Close every connection."""
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in list(self._writers)])

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._ended())

    async def _ended(self) -> None:
        """Wait until closed connections have ended.

        A loop that closes earlier leaves sockets open, and another test gets their warnings.
        """
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for writer in self._writers:
                writer.transport.abort()
            _, late = await asyncio.wait(left, timeout=5)
            for task in late:
                task.cancel()
        await asyncio.sleep(0)  # an aborted connection closes its socket in the loop's next round

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather is Weather.REFUSING:
            writer.transport.abort()
            return
        with suppress(OSError):
            back, forth = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            self._writers |= {writer, forth}
            muted = asyncio.Event()
            ways = [
                asyncio.create_task(self._pass(reader, forth, muted, are_requests=True)),
                asyncio.create_task(self._pass(back, writer, muted, are_requests=False)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers -= {writer, forth}
            forth.transport.abort()
        writer.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, muted: asyncio.Event, *, are_requests: bool
    ) -> None:
        while data := await reader.read(CHUNK):
            if self.weather is Weather.SLOW:
                await asyncio.sleep(self.delay_s)
            if self.weather is Weather.BLACK_HOLE or muted.is_set():
                continue
            if are_requests and self.drop_left and self.drop_after is not None and self.drop_after in data:
                self.drop_left -= 1
                self.dropped += 1
                muted.set()
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0.05)  # the request arrives and takes effect; only its reply is lost
                break
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@contextmanager
def network(upstream_port: int) -> Iterator[Network]:
    relay = Network(upstream_port)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()
