"""Domain errors: the base classes of all problems, independent of HTTP.

    DomainError
    ├── Malformed…     the bytes are not valid
    ├── domain errors  each package lists its own in its `errors.py`
    └── Unavailable    a dependency does not answer; no partial change remains

Every error has a stable kebab-case `code`, a `title` that never changes, and a `Kind`.
`platform/http/problem_response.py` has the only table of statuses by kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """Kinds of problems. Each has one HTTP status."""

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
    """An error of one input field: a JSON pointer (RFC 6901) and a message without the value."""

    pointer: str
    message: str


class DomainError(Exception):
    """Base of all errors that a caller may see.

    `detail` is a sentence for people and never contains input. `extensions` become members of the
    problem document. `start` is the URL at which the caller begins again; classes with `has_start`
    may set it.
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


PACKAGE_PREFIX = "conflicto."


def registry() -> dict[str, type[DomainError]]:
    """Return every concrete error class by its code. `docs/errors.md` is generated from it."""
    found: dict[str, type[DomainError]] = {}
    pending: list[type[DomainError]] = [DomainError]
    while pending:
        error = pending.pop()
        pending.extend(error.__subclasses__())
        if "code" in error.__dict__ and error.__module__.startswith(PACKAGE_PREFIX):
            found[error.code] = error
    return dict(sorted(found.items()))
