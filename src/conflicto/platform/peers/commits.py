"""Commits on their way to the memory of peers: saved heads, and the events of known types."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from conflicto.platform.peers.messages import CommitMessage, HeadFields, encode_content

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from conflicto.platform.db.group import Committed
    from conflicto.platform.db.sequence import FeedHead

MAX_EVENTS_BYTES = 4_000_000
"""Size of the events that travel with a commit. Peers read the rows of a larger one."""


class PeerCommit(NamedTuple):
    """A commit of a peer: its heads by topic, and its events; None: they must be read."""

    heads: Mapping[int, FeedHead]
    events: Sequence[object] | None


class _EventCodec:
    """Encodes and decodes the fields of one type of event."""

    def __init__(self, event_type: type, fields: Mapping[str, Any]) -> None:
        self.name = event_type.__name__
        self._event_type = event_type
        self._values_of: Callable[[object], Any] = attrgetter(*fields)
        self._is_single = len(fields) == 1
        self._decode = msgspec.msgpack.Decoder(tuple[tuple(fields.values())]).decode  # type: ignore[misc]

    def encode(self, event: object) -> bytes:
        values = self._values_of(event)
        return encode_content((values,) if self._is_single else values)

    def decode(self, content: bytes) -> object:
        return self._event_type(*self._decode(content))


class CommitCodec:
    """Encodes commits for peers, and decodes theirs.

    `followed` are the types of events that change a session state. `event_fields` are the fields of
    those that travel: what a crowd does. A commit with any other followed event is read from the
    database, as are those of other machines.
    """

    def __init__(self, followed: Container[type], event_fields: Mapping[type, Mapping[str, Any]]) -> None:
        self._followed = followed
        self._codecs = {each: _EventCodec(each, fields) for each, fields in event_fields.items()}
        self._by_name = {codec.name: codec for codec in self._codecs.values()}

    def encode(self, committed: Committed) -> CommitMessage:
        """Return the message of a commit."""
        return CommitMessage([HeadFields.of(head) for head in committed.heads.values()], self._encode_events(committed.events))

    def decode(self, message: CommitMessage) -> PeerCommit:
        """Return the commit of a message."""
        heads = {each.topic: each.head() for each in message.heads}
        if message.events is None:
            return PeerCommit(heads, None)
        return PeerCommit(heads, [self._by_name[name].decode(content) for name, content in message.events])

    def _encode_events(self, events: Sequence[object]) -> list[tuple[str, bytes]] | None:
        encoded: list[tuple[str, bytes]] = []
        size = 0
        for event in events:
            if type(event) not in self._followed:
                continue
            codec = self._codecs.get(type(event))
            if codec is None:
                return None
            encoded.append((codec.name, codec.encode(event)))
            size += len(encoded[-1][1])
            if size > MAX_EVENTS_BYTES:
                return None
        return encoded
