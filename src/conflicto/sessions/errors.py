"""Errors of sessions.

DomainError
├── TransitionNotAllowed   the lifecycle has no such step from here.
├── SessionNotActive       the step needs an active session.
├── SessionCompleted       a completed session no longer changes.
├── RevisionStale          If-Match named another revision.
├── KeyReused              the idempotency key was used with another body.
├── IdempotencyKeyInvalid  the key has an invalid form.
├── CodeUnknown            no session that can be joined has this code.
├── StorageFull            the session reached its storage limit.
└── TooManyLinks           the session reached its limit of links.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class TransitionNotAllowed(DomainError):
    """`from`, `to` and `allowed` list the possible steps."""

    code = "transition-not-allowed"
    title = "The lifecycle has no such step"
    kind = Kind.CONFLICT


class SessionNotActive(DomainError):
    """Activities run, and answers are accepted, only while the session is active."""

    code = "session-not-active"
    title = "The session is not active"
    kind = Kind.CONFLICT


class SessionCompleted(DomainError):
    """A completed session can only be read, exported, duplicated and deleted."""

    code = "session-completed"
    title = "The session is completed"
    kind = Kind.CONFLICT


class RevisionStale(DomainError):
    """Read the object again before you change it. `revision` is its current revision."""

    code = "revision-stale"
    title = "The object has changed since it was read"
    kind = Kind.STALE


class KeyReused(DomainError):
    """An `Idempotency-Key` belongs to one request body for as long as the session lives."""

    code = "key-reused"
    title = "The idempotency key was used with another body"
    kind = Kind.INVALID


class IdempotencyKeyInvalid(DomainError):
    """A key is 1 to 128 visible ASCII characters, quoted or not.

    For joining it has at least 16, because it stands for a seat.
    """

    code = "idempotency-key-invalid"
    title = "The Idempotency-Key header does not hold a key"
    kind = Kind.MALFORMED


class CodeUnknown(DomainError):
    """The code is unknown or mistyped, or its session was completed or deleted.

    The server does not say which.
    """

    code = "code-unknown"
    title = "No session can be joined with this code"
    kind = Kind.MISSING


class StorageFull(DomainError):
    """The server stores nothing new for this session.

    The host can still end, hide, delete and export it, and continue in a new session. Edits, and
    steps that open or publish an activity, may use a tenth more. Repetitions always succeed.
    Deleting the session frees its storage.
    """

    code = "storage-full"
    title = "The session has reached its storage cap"
    kind = Kind.CONFLICT


class TooManyLinks(DomainError):
    """A session has at most 200 links.

    A link that ended counts for 31 days more, unless an owner or the operator replaces all of them.
    """

    code = "too-many-links"
    title = "The session accepts no further links"
    kind = Kind.CONFLICT
