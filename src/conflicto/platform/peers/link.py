"""The connection to one peer: forwarded commands that wait for their outcome."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from conflicto.platform.peers.frames import FrameConnection
from conflicto.platform.peers.messages import (
    CommitMessage,
    ForwardedCommand,
    Leaving,
    Message,
    Ping,
    Reply,
    Serving,
    encode_content,
    to_error,
)
from conflicto.platform.problems import InternalError, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.clock import Clock
    from conflicto.platform.peers.forwarding import ForwardedItem
    from conflicto.platform.problems import DomainError

log = structlog.get_logger(__name__)

SILENCE_S = 2.0
"""Silence after which a peer counts as lost. It answers a ping every half second, whatever its
database does."""


class PeerLink:
    """A peer that may write for this worker.

    `is_ready` holds from its greeting until it leaves or is lost. A peer whose greeting differs
    from that of this worker is ignored. `on_unanswered` gets each item without an outcome, and
    whether the peer may have written it.
    """

    def __init__(
        self,
        clock: Clock,
        greeting: Serving,
        on_commit: Callable[[CommitMessage], None],
        on_unanswered: Callable[[ForwardedItem, bool], None],
    ) -> None:
        self.is_ready = False
        self.is_lost = False
        self._is_known = False
        self._clock = clock
        self._greeting = greeting
        self._on_commit = on_commit
        self._on_unanswered = on_unanswered
        self._waiting: dict[int, ForwardedItem] = {}
        self._next_number = 0
        self._received_s = clock.monotonic_s()
        self._connection = FrameConnection(self._on_message, self._on_lost)

    async def connect(self, path: str) -> None:
        """Connect to the socket of the peer.

        Raises:
            OSError: nobody listens there.
        """
        await asyncio.get_running_loop().create_unix_connection(lambda: self._connection, path)

    def forward(self, forwarded: ForwardedItem) -> None:
        """Let the peer write an item."""
        self._next_number += 1
        self._waiting[self._next_number] = forwarded
        self._connection.send(
            ForwardedCommand(
                self._next_number, forwarded.batch.name, forwarded.topic, encode_content(forwarded.item), encode_content(forwarded.keys),
                forwarded.max_wait_s,
            )
        )  # fmt: skip

    def check(self) -> None:
        """Ping the peer. Give it up if it has been silent for too long."""
        if self._clock.monotonic_s() - self._received_s > SILENCE_S:
            self.abort()
        else:
            self._connection.send(Ping())

    def abort(self) -> None:
        """Close the connection at once."""
        self._connection.abort()

    def _on_message(self, _: FrameConnection, message: Message) -> None:
        self._received_s = self._clock.monotonic_s()
        if isinstance(message, Serving):
            self._greet(message)
        elif not self._is_known:
            return
        elif isinstance(message, Reply):
            self._resolve(self._waiting.pop(message.number), message)
        elif isinstance(message, CommitMessage):
            self._on_commit(message)
        elif isinstance(message, Leaving):
            self.is_ready = False

    def _greet(self, greeting: Serving) -> None:
        self.is_ready = self._is_known = greeting == self._greeting
        if not self._is_known:
            log.warning("worker-ignored", theirs=msgspec.structs.asdict(greeting), ours=msgspec.structs.asdict(self._greeting))

    def _resolve(self, forwarded: ForwardedItem, reply: Reply) -> None:
        try:
            error, value = _outcome(forwarded, reply)
        except Exception:
            log.exception("reply-unreadable", batch=forwarded.batch.name)
            error, value = InternalError(), None
        has_left = isinstance(error, Overloaded) and not self.is_ready
        if reply.is_local or has_left:
            self._on_unanswered(forwarded, False)
        elif forwarded.future.done():
            return
        elif error is not None:
            forwarded.future.set_exception(error)
        else:
            forwarded.future.set_result(value)

    def _on_lost(self, _: FrameConnection) -> None:
        self.is_ready, self.is_lost = False, True
        waiting, self._waiting = self._waiting, {}
        for forwarded in waiting.values():
            self._on_unanswered(forwarded, True)


def _outcome(forwarded: ForwardedItem, reply: Reply) -> tuple[DomainError | None, Any]:
    if reply.error is not None:
        return to_error(reply.error), None
    return None, None if reply.is_local else forwarded.batch.decode_value(reply.value)
