"""Domain errors: what can be wrong, said without a word of HTTP.

    DomainError
    ├── Malformed…     the bytes cannot be understood
    ├── rooms' errors  each room draws its own tree in its `errors.py`
    └── Unavailable    a dependency does not answer; nothing was half-done

Every error has a stable kebab-case `code`, a `title` that never changes, and a `Kind`. `platform/http/problem_response.py` holds
the only table that turns a kind into a status.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The families of problems; the HTTP edge gives each of them one status."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    NOT_ALLOWED = "not-allowed"
    CONFLICT = "conflict"
    GONE = "gone"
    STALE = "stale"
    TOO_LARGE = "too-large"
    HEAD_TOO_LARGE = "head-too-large"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"
    TOO_MANY = "too-many"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one place of the input: a JSON pointer (RFC 6901) and a sentence that never repeats the value."""

    pointer: str
    message: str


class DomainError(Exception):
    """Base of everything that a caller can be told about.

    `detail` is a sentence for people and never holds input. `extensions` become members of the problem document. `start` is the address
    at which the caller begins again; errors that know one say so by `has_start`.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    kind: ClassVar[Kind]
    has_start: ClassVar[bool] = False

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        extensions: dict[str, object] | None = None,
        start: str | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extensions = extensions or {}
        self.start = start


class InvalidInput(DomainError):
    """The body or query is well-formed, but a field is unknown, missing, or out of range."""

    code = "invalid-input"
    title = "The input does not fit"
    kind = Kind.INVALID


class NotFound(DomainError):
    """The object does not exist, or the caller may not know of it.

    The server does not say which.
    """

    code = "not-found"
    title = "There is nothing here"
    kind = Kind.MISSING


class Unavailable(DomainError):
    """The database does not respond, or not in time.

    A retry with the same idempotency key settles an unknown outcome.
    """

    code = "unavailable"
    title = "The service cannot answer right now"
    kind = Kind.UNAVAILABLE


class Overloaded(DomainError):
    """More work is queued than the server can do in time. This request had no effect."""

    code = "overloaded"
    title = "The server is overloaded"
    kind = Kind.UNAVAILABLE


class InternalError(DomainError):
    """The server has a fault.

    Its log holds the cause under the request id; the response never does.
    """

    code = "internal-error"
    title = "Something went wrong on our side"
    kind = Kind.INTERNAL


OURS = "conflicto."


def registry() -> dict[str, type[DomainError]]:
    """Return every concrete error class of the program by its code: the source of `docs/errors.md`."""
    found: dict[str, type[DomainError]] = {}
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        error = waiting.pop()
        waiting.extend(error.__subclasses__())
        if "code" in error.__dict__ and error.__module__.startswith(OURS):
            found[error.code] = error
    return dict(sorted(found.items()))
