"""What can be wrong with a caller.

DomainError
├── TokenMissing     the route needs a token
├── TokenInvalid     not a token of ours, expired, or dead
├── RoleNotAllowed   the token's role may not do this
│   ├── OperatorOnly only the operator's token may do this
│   └── OwnerOnly    only the session's owner, or the operator, may do this
└── TooManyGuesses   too many wrong codes came from this address, or from all together

ReceiptInvalid       not a receipt that one of the given keys signed
"""

from __future__ import annotations

from conflicto.platform.limits.errors import RateLimited
from conflicto.platform.problems import DomainError, Kind


class ReceiptInvalid(Exception):
    """A text is not a receipt that one of the given keys signed; its message says why. Commands alone raise it."""


class TokenMissing(DomainError):
    """Send `Authorization: Bearer …`."""

    code = "token-missing"
    title = "A token is needed"
    kind = Kind.UNAUTHENTICATED


class TokenInvalid(DomainError):
    """Forged, expired, revoked, rotated, kicked and of a deleted session are alike."""

    code = "token-invalid"
    title = "The token is not valid"
    kind = Kind.UNAUTHENTICATED


class RoleNotAllowed(DomainError):
    """The token is good, but for something else."""

    code = "role-not-allowed"
    title = "This role may not do that"
    kind = Kind.FORBIDDEN


class OperatorOnly(RoleNotAllowed):
    """The token is good, but the route takes the operator's token alone: ask the operator, or sign in at `/host` with that token."""

    code = "operator-only"
    title = "Only the operator may do this"


class OwnerOnly(RoleNotAllowed):
    """An owner's link is made, renamed and revoked by an owner's token of the session or by the operator: ask one of them."""

    code = "owner-only"
    title = "Only the owner of the session may do this"


class TooManyGuesses(RateLimited):
    """Links from a QR code, and codes that led someone at this address into a session, go on working; wait before you try another."""

    code = "too-many-guesses"
    title = "Too many wrong codes were tried"
