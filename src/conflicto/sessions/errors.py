"""What can be wrong with a session.

DomainError
├── TransitionNotAllowed   the lifecycle has no such step from here
├── SessionNotActive       the step needs an active session
├── SessionCompleted       a completed session no longer changes
├── RevisionStale          If-Match named another revision
├── KeyReused              the idempotency key was used with another body
├── IdempotencyKeyInvalid  the key is not one
├── CodeUnknown            no session that can be joined has this code
├── StorageFull            the session stores as many bytes as are kept of one
└── TooManyLinks           the session holds as many links as it may
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class TransitionNotAllowed(DomainError):
    """`from`, `to` and `allowed` say which steps there are."""

    code = "transition-not-allowed"
    title = "The lifecycle has no such step"
    kind = Kind.CONFLICT


class SessionNotActive(DomainError):
    """Activities run, and answers are taken, only while the session is active."""

    code = "session-not-active"
    title = "The session is not active"
    kind = Kind.CONFLICT


class SessionCompleted(DomainError):
    """A completed session can be read, exported, duplicated and deleted, and nothing else."""

    code = "session-completed"
    title = "The session is completed"
    kind = Kind.CONFLICT


class RevisionStale(DomainError):
    """The object changed since the caller read it; `revision` is the present one."""

    code = "revision-stale"
    title = "The object has changed since it was read"
    kind = Kind.STALE


class KeyReused(DomainError):
    """An `Idempotency-Key` names one request body for as long as the session lives."""

    code = "key-reused"
    title = "The idempotency key was used with another body"
    kind = Kind.INVALID


class IdempotencyKeyInvalid(DomainError):
    """A key is 1 to 128 visible ASCII characters, quoted or not; for joining at least 16, because it stands for a seat."""

    code = "idempotency-key-invalid"
    title = "The Idempotency-Key header does not hold a key"
    kind = Kind.MALFORMED


class CodeUnknown(DomainError):
    """Unknown, mistyped, completed and deleted are alike to a stranger."""

    code = "code-unknown"
    title = "No session can be joined with this code"
    kind = Kind.MISSING


class StorageFull(DomainError):
    """Nothing new is stored of this session. Its host can still end, hide, delete and export it; go on in a new session.

    Edits, and steps that open or publish an activity, are taken up to a tenth beyond the cap, and repetitions always. Deleting the
    session frees what it took.
    """

    code = "storage-full"
    title = "The session stores as much as is kept of one"
    kind = Kind.CONFLICT


class TooManyLinks(DomainError):
    """A session has up to 200 links. Those that ended count for 31 days more, unless an owner or the operator replaces all of them."""

    code = "too-many-links"
    title = "The session takes no further links"
    kind = Kind.CONFLICT
