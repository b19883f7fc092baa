"""Frames between the workers of one machine: a length, then messages."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

from conflicto.platform.peers.messages import decode_messages, encode_messages
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conflicto.platform.peers.messages import Message

MAX_UNSENT_BYTES = 32 * MIB
"""Bytes that may wait for a peer. Beyond them the peer hangs, and its connection is closed."""

_LENGTH = struct.Struct("!I")


def encode_frame(messages: list[Message]) -> bytes:
    """Return the frame of messages."""
    content = encode_messages(messages)
    return _LENGTH.pack(len(content)) + content


class FrameConnection(asyncio.Protocol):
    """One end of a connection between two workers.

    `on_message` gets every message in order, and `on_lost` is called once at the end.
    """

    def __init__(
        self,
        on_message: Callable[[FrameConnection, Message], None],
        on_lost: Callable[[FrameConnection], None],
        on_made: Callable[[FrameConnection], None] | None = None,
    ) -> None:
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_made = on_made
        self._received = bytearray()
        self._unsent: list[Message] = []
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and report the beginning."""
        self._transport = transport
        if self._on_made is not None:
            self._on_made(self)

    def data_received(self, data: bytes) -> None:
        """Pass on every message that is complete."""
        self._received += data
        for content in self._complete():
            for message in decode_messages(content):
                self._on_message(self, message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - any end is the same
        """Report the end."""
        self._on_lost(self)

    def send(self, message: Message) -> None:
        """Send a message with all others of this turn of the event loop, in one frame."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(message)

    def send_frame(self, frame: bytes) -> None:
        """Send an encoded frame after all earlier messages.

        A peer that does not read is cut off.
        """
        self._flush()
        self._write(frame)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def close(self) -> None:
        """Send what waits, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._unsent:
            messages, self._unsent = self._unsent, []
            self._write(encode_frame(messages))

    def _write(self, frame: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame)
            if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                self.abort()

    def _complete(self) -> Iterator[bytes]:
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            end = _LENGTH.size + length
            if len(self._received) < end:
                return
            content = bytes(self._received[_LENGTH.size : end])
            del self._received[:end]
            yield content
