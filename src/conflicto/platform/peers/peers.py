"""The workers of one machine: each listens on a socket in a common directory, and finds the others.

One worker writes what the crowd of a session sends to any of them, in one group. So workers do not
wait for each other's head rows. Each commit goes to the memory of all, before callers get their
outcomes.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from conflicto.platform.db.group import Committed
from conflicto.platform.peers.forwarding import ForwardedItem, write_here, writer_of
from conflicto.platform.peers.frames import FrameConnection, encode_frame
from conflicto.platform.peers.link import PeerLink
from conflicto.platform.peers.messages import (
    VERSION,
    CommitMessage,
    ForwardedCommand,
    Leaving,
    Message,
    Ping,
    Pong,
    Reply,
    Serving,
    encode_content,
    refusal,
)
from conflicto.platform.peers.sockets import socket_owners, socket_path

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.batches import Batch
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.event_bus import EventBus
    from conflicto.platform.peers.commits import CommitCodec, PeerCommit

SCAN_INTERVAL_S = 0.5
"""Seconds between two looks for new workers and two pings."""

log = structlog.get_logger(__name__)


class Peers:
    """The peers of this process, for the event loop only. Commits of peers go to `on_commit`.

    `issuer` names the database, so that workers of another one in the same folder are ignored.
    """

    def __init__(
        self,
        directory: Path,
        writer: Writer,
        clock: Clock,
        codec: CommitCodec,
        on_commit: Callable[[PeerCommit], None],
        issuer: str,
        pid: int | None = None,
    ) -> None:
        self.pid = os.getpid() if pid is None else pid
        self._directory = directory
        self._writer = writer
        self._clock = clock
        self._codec = codec
        self._on_commit = on_commit
        self._greeting = Serving(issuer, VERSION)
        self._links: dict[int, PeerLink] = {}
        self._followers: set[FrameConnection] = set()
        self._server: asyncio.Server | None = None

    def subscribe(self, bus: EventBus) -> None:
        """Tell every peer of each local commit."""
        bus.subscribe(Committed, self.announce)

    @property
    def ready(self) -> frozenset[int]:
        """The process ids of the peers that may write for this worker."""
        return frozenset(pid for pid, link in self._links.items() if link.is_ready)

    async def start(self) -> None:
        """Listen for peers, and let them write from now on."""
        with suppress(FileNotFoundError):
            self._path(self.pid).unlink()  # of an earlier process with this number
        self._server = await asyncio.get_running_loop().create_unix_server(self._accept, str(self._path(self.pid)))
        self._writer.forwarder = self

    async def run(self) -> None:
        """Look for peers until cancelled.

        Of looks that fail one after the other, the first is logged.
        """
        has_failed = False
        while True:
            try:
                await self._scan()
                has_failed = False
            except Exception:  # the next look may succeed
                if not has_failed:
                    log.exception("peer-scan-failed")
                has_failed = True
            await asyncio.sleep(SCAN_INTERVAL_S)

    def leave(self) -> None:
        """Forward nothing any more, and tell the peers that this worker is about to stop."""
        self._writer.forwarder = None
        self._path(self.pid).unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
        for follower in self._followers:
            follower.send(Leaving())

    def close(self) -> None:
        """Send the last outcomes and close all connections."""
        for follower in list(self._followers):
            follower.close()
        for link in self._links.values():
            link.abort()

    def forward(
        self, topic: int, batch: Batch, item: object, keys: tuple[Hashable, ...], *, max_wait_s: float | None, is_repeatable: bool
    ) -> asyncio.Future[Any] | None:
        """Forward an item to the writer of its session, None if that is this worker."""
        shared = self._writer.batches.find(batch)
        link = None if shared is None else self._writer_of(topic)
        if shared is None or link is None:
            return None
        future = asyncio.get_running_loop().create_future()
        link.forward(ForwardedItem(shared, topic, item, keys, max_wait_s, is_repeatable, future))
        return future

    def announce(self, committed: Committed) -> None:
        """Send a commit of this worker to every peer."""
        if self._followers and committed.heads:
            frame = encode_frame([self._codec.encode(committed)])
            for follower in list(self._followers):
                follower.send_frame(frame)

    def _writer_of(self, topic: int) -> PeerLink | None:
        """Return the link to the writer of a topic, None if this worker writes it."""
        return self._links.get(writer_of(topic, {self.pid, *self.ready}))

    def _path(self, pid: int) -> Path:
        return socket_path(self._directory, pid)

    async def _scan(self) -> None:
        for pid, link in list(self._links.items()):
            if link.is_lost:
                log.info("worker-gone", worker=pid)
                del self._links[pid]
            else:
                link.check()
        for pid in socket_owners(self._directory):
            if pid not in {self.pid, *self._links}:
                link = PeerLink(self._clock, self._greeting, self._take_commit, self._write_unanswered)
                with suppress(OSError):  # it was killed, or it is about to listen
                    await link.connect(str(self._path(pid)))
                    self._links[pid] = link

    def _take_commit(self, message: CommitMessage) -> None:
        self._on_commit(self._codec.decode(message))

    def _write_unanswered(self, forwarded: ForwardedItem, may_be_written: bool) -> None:  # noqa: FBT001 - a callback
        write_here(forwarded, self._writer, may_be_written=may_be_written)

    # As the writer of peers

    def _accept(self) -> FrameConnection:
        return FrameConnection(self._on_message, self._followers.discard, self._welcome)

    def _welcome(self, follower: FrameConnection) -> None:
        self._followers.add(follower)
        follower.send(self._greeting)

    def _on_message(self, connection: FrameConnection, message: Message) -> None:
        if isinstance(message, ForwardedCommand):
            self._write(connection, message)
        elif isinstance(message, Ping):
            connection.send(Pong())

    def _write(self, connection: FrameConnection, command: ForwardedCommand) -> None:
        try:
            shared = self._writer.batches.named(command.batch)
            item, keys = shared.decode_item(command.item), shared.decode_keys(command.keys)
            outcome = self._writer.enqueue(command.topic, shared.run, item, keys, max_wait_s=command.max_wait_s)
        except Exception as error:  # noqa: BLE001 - the sender waits for a reply, which logs it
            connection.send(refusal(command.number, error))
        else:
            outcome.add_done_callback(partial(_reply, connection, command.number))


def _reply(connection: FrameConnection, number: int, done: asyncio.Future[Any]) -> None:
    try:
        reply = Reply(number, encode_content(done.result()))
    except Exception as error:  # noqa: BLE001 - the sender waits for a reply, which logs it
        reply = refusal(number, error)
    connection.send(reply)
