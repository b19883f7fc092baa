"""Messages between the workers of one machine. A frame is a list of them, in MessagePack.

Contents of commands, values and events are encoded by themselves, because their types are known
only to the packages that register them.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from conflicto.platform.db.sequence import FeedHead
from conflicto.platform.problems import DomainError, FieldError, InternalError, Overloaded

log = structlog.get_logger(__name__)

encode_content = msgspec.msgpack.Encoder(uuid_format="bytes").encode


VERSION = 1
"""Version of these messages. Raise it with every change that an earlier program would misread."""


class Serving(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The sender serves this connection. Until then a hung process may only seem to accept it.

    Workers with another `issuer`, which names the database, or another version of messages ignore
    each other.
    """

    issuer: str
    version: int


class Ping(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A question for a sign of life."""


class Pong(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A sign of life."""


class Leaving(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The sender is about to stop, so it writes for nobody any more."""


class ForwardedCommand(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A command for the writer of its session. `batch` names the function that runs it."""

    number: int
    batch: str
    topic: int
    item: bytes
    keys: bytes
    max_wait_s: float | None


class ErrorFields(msgspec.Struct, frozen=True, array_like=True):
    """The fields of a domain error, and the name of its class."""

    name: str
    detail: str | None
    errors: tuple[FieldError, ...]
    retry_after_s: int | None
    extensions: dict[str, Any]
    start: str | None


class Reply(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The outcome of a forwarded command, after its commit: a value or an error.

    `is_local`: an error with attributes of its own. Nothing was written, and the sender of the
    command runs it to get the error itself.
    """

    number: int
    value: bytes = b""
    error: ErrorFields | None = None
    is_local: bool = False


class HeadFields(msgspec.Struct, frozen=True, array_like=True):
    """The fields of a saved head, and the position at which it was locked."""

    topic: int
    ts: int
    control_ts: int
    own_ts: int
    locked_ts: int
    counts: dict[str, int]

    @classmethod
    def of(cls, head: FeedHead) -> HeadFields:
        """Return the fields of a head."""
        return cls(head.topic, head.ts, head.control_ts, head.own_ts, head.locked_ts, head.counts)

    def head(self) -> FeedHead:
        """Return the head."""
        head = FeedHead(self.topic, self.ts, self.control_ts, self.counts, changed=True, own_ts=self.own_ts)
        head.locked_ts = self.locked_ts
        return head


class CommitMessage(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A commit of the sender: the saved heads, and its events by name.

    Without `events`, what changed must be read from the database.
    """

    heads: list[HeadFields]
    events: list[tuple[str, bytes]] | None


Message = Serving | Ping | Pong | Leaving | ForwardedCommand | Reply | CommitMessage

_BASE_ATTRIBUTES = vars(Overloaded()).keys()

encode_messages = msgspec.msgpack.Encoder().encode
decode_messages = msgspec.msgpack.Decoder(list[Message]).decode


def refusal(number: int, error: Exception) -> Reply:
    """Return the reply of a command that was refused, or that failed.

    A fault of the program is logged, and is an internal error for the sender.
    """
    if isinstance(error, DomainError):
        try:
            return error_reply(number, error)
        except (TypeError, OverflowError) as fault:  # an extension that does not travel
            error = fault
    log.error("forwarded-command-failed", exc_info=error)
    return Reply(number, error=_error_fields(InternalError()))


def error_reply(number: int, error: DomainError) -> Reply:
    """Return the reply of a command that was refused.

    Raises:
        TypeError, OverflowError: the error has an extension that cannot be encoded.
    """
    if vars(error).keys() - _BASE_ATTRIBUTES:
        return Reply(number, is_local=True)
    fields = _error_fields(error)
    encode_content(fields)
    return Reply(number, error=fields)


def _error_fields(error: DomainError) -> ErrorFields:
    return ErrorFields(_name(type(error)), error.detail, tuple(error.errors), error.retry_after_s, error.extensions, error.start)


def to_error(fields: ErrorFields) -> DomainError:
    """Return the error again. Classes may have other constructors, which are not called."""
    kind = next(each for each in _error_classes(DomainError) if _name(each) == fields.name)
    error = kind.__new__(kind)
    DomainError.__init__(
        error,
        fields.detail,
        errors=fields.errors,
        retry_after_s=fields.retry_after_s,
        extensions=fields.extensions,
        start=fields.start,
    )
    return error


def _error_classes(base: type[DomainError]) -> list[type[DomainError]]:
    return [base, *(found for each in base.__subclasses__() for found in _error_classes(each))]


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
