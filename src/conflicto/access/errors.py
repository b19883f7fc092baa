"""Errors of authentication and authorization.

DomainError
├── TokenMissing     the route needs a token
├── TokenInvalid     the token is foreign, expired or revoked
├── RoleNotAllowed   the token's role may not do this
│   ├── OperatorOnly only the operator's token may do this
│   └── OwnerOnly    only the session's owner, or the operator, may do this
└── TooManyGuesses   too many wrong codes came from this address, or from all together

ReceiptInvalid       no given key signed the receipt
"""

from __future__ import annotations

from conflicto.platform.limits.errors import RateLimited
from conflicto.platform.problems import DomainError, Kind


class ReceiptInvalid(Exception):
    """Raised by commands if no given key signed a receipt. The message says why."""


class TokenMissing(DomainError):
    """Send `Authorization: Bearer …`."""

    code = "token-missing"
    title = "A token is needed"
    kind = Kind.UNAUTHENTICATED


class TokenInvalid(DomainError):
    """The token is forged, expired, revoked or rotated, or its seat or session is gone.

    The server does not say which.
    """

    code = "token-invalid"
    title = "The token is not valid"
    kind = Kind.UNAUTHENTICATED


class RoleNotAllowed(DomainError):
    """The token is valid, but its role may not call this route."""

    code = "role-not-allowed"
    title = "This role may not do that"
    kind = Kind.FORBIDDEN


class OperatorOnly(RoleNotAllowed):
    """The token is valid, but this route accepts only the operator's token.

    Ask the operator, or sign in at `/host` with that token.
    """

    code = "operator-only"
    title = "Only the operator may do this"


class OwnerOnly(RoleNotAllowed):
    """Only an owner or the operator may create, rename or revoke an owner's link."""

    code = "owner-only"
    title = "Only the owner of the session may do this"


class TooManyGuesses(RateLimited):
    """Wait before you try another code.

    Links from a QR code, and codes that admitted someone from this address, still work.
    """

    code = "too-many-guesses"
    title = "Too many wrong codes were tried"
