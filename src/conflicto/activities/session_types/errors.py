"""Errors of types for one session.

DomainError
├── SessionTypesOff      the operator does not allow types for one session.
├── PackRejected         the pack is no valid type.
├── PackNotConfirmed     the confirmed digest is that of another pack.
├── SessionTypeClash     another type has the name.
├── SessionTypesFull     the session, or the server, has no room for the pack.
└── SessionTypeInUse     activities have the type that is to be removed.
"""

from __future__ import annotations

from conflicto.platform.problems import DomainError, Kind


class SessionTypesOff(DomainError):
    """The operator allows types for one session with `CONFLICTO_SESSION_TYPES_MB`."""

    code = "session-types-off"
    title = "This server does not take types for one session"
    kind = Kind.FORBIDDEN


class PackRejected(DomainError):
    """`faults` lists each fault of the pack with file, line and remedy.

    `conflicto types check` tells the same about its folder.
    """

    code = "pack-rejected"
    title = "The pack is no valid activity type"
    kind = Kind.INVALID


class PackNotConfirmed(DomainError):
    """`sha256` is the digest of the pack that was sent. Compare it, and send that digest."""

    code = "pack-not-confirmed"
    title = "The confirmed digest is that of another pack"
    kind = Kind.INVALID


class SessionTypeClash(DomainError):
    """A type of the server, or of this session, has the name. Rename yours, or remove the other."""

    code = "session-type-clash"
    title = "Another activity type has this name"
    kind = Kind.CONFLICT


class SessionTypesFull(DomainError):
    """Remove a type that no activity needs. The operator may allow more bytes for all sessions."""

    code = "session-types-full"
    title = "There is no room for another type"
    kind = Kind.CONFLICT


class SessionTypeInUse(DomainError):
    """Delete the activities of this type first; `activities` is their number."""

    code = "session-type-in-use"
    title = "Activities have this type"
    kind = Kind.CONFLICT
