"""Receipts of deletions: signed statements in a response header, which the server does not store.

A receipt is a JWS in compact form (RFC 7515) with Ed25519 (RFC 8037). Its payload contains counts,
the day, and a digest of the deleted ids. It proves a deletion to readers who know the ids, and
reveals nothing to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.utils import base64url_decode, base64url_encode

from conflicto.access.errors import ReceiptInvalid
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.http.messages import Header

HEADER = b"deletion-receipt"
RESPONSE_HEADERS = ("Deletion-Receipt",)
"""Response headers of deletions, for the OpenAPI document."""

ALGORITHM = "EdDSA"
TYPE = "deletion-receipt+jwt"
MAX_RECEIPT_CHARS = 4_096
"""Longest receipt. The server's receipts have about 550 characters. It is checked before
parsing."""

DATE_CHARS = 10
"""Length of `YYYY-MM-DD`: a receipt contains the day in UTC, never the time."""

DeletedIds = dict[str, set[str]]
"""Deleted ids by kind: `sessions`, `activities`, `participants`, `responses`."""


@runtime_checkable
class DeletionEvent(Protocol):
    """An event that may have deleted objects."""

    def deletes(self) -> tuple[str, Iterable[int | UUID]]:
        """Return the kind and the deleted ids, none if nothing was deleted."""


@runtime_checkable
class PrivateDeletionEvent(Protocol):
    """An event that may have deleted objects which only their author ever saw."""

    def deletes_unseen(self) -> tuple[str, Iterable[int | UUID]]:
        """Return the kind and the deleted ids, none if nothing was deleted."""


@dataclass(slots=True)
class Deletion:
    """Ids that commands deleted.

    `counts` adds objects without ids here: the responses of a deleted activity.
    """

    ids: DeletedIds = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, ids: Iterable[object]) -> None:
        """Add ids of one kind."""
        self.ids.setdefault(kind, set()).update(str(each) for each in ids)

    def merge(self, other: Deletion) -> None:
        """Add the ids of another deletion. A request may use several transactions."""
        for kind, ids in other.ids.items():
            self.add(kind, ids)

    def counts_by_kind(self) -> dict[str, int]:
        """Return the number of deleted objects by kind."""
        return {kind: len(ids) for kind, ids in sorted(self.ids.items()) if ids} | self.counts

    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal digits, of the sorted ids, one per line."""
        return digest_of(each for ids in self.ids.values() for each in ids)


def digest_of(ids: Iterable[str]) -> str:
    """Return the SHA-256, in hexadecimal digits, of the sorted ids, one per line."""
    return sha256("".join(f"{each}\n" for each in sorted(ids)).encode()).hexdigest()


def run_with_deletion(tx: WriteTx, command: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Deletion]:  # noqa: ANN401 - the command's
    """Run a command and return its value and deletion."""
    events, deletion = len(tx.events), Deletion()
    value = command(tx, *args, **options)
    for event in tx.events[events:]:
        if isinstance(event, DeletionEvent):
            deletion.add(*event.deletes())
    return value, deletion


def run_with_deletion_for_author(tx: WriteTx, command: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Deletion]:  # noqa: ANN401
    """Run a command as `run_with_deletion` does, and include objects that only authors saw."""
    events = len(tx.events)
    value, deletion = run_with_deletion(tx, command, *args, **options)
    for event in tx.events[events:]:
        if isinstance(event, PrivateDeletionEvent):
            deletion.add(*event.deletes_unseen())
    return value, deletion


class Receipts:
    """Signs receipts with the installation's own key."""

    def __init__(self, key: bytes, issuer: str, clock: Clock) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self._kid = kid_of(public_text(key))
        self._issuer = issuer
        self._clock = clock

    def header(self, deletion: Deletion) -> Header:
        """Return the header with the receipt of a deletion."""
        payload = {
            "iss": self._issuer, "date": rfc3339(self._clock.wall_us())[:DATE_CHARS], "deleted": deletion.counts_by_kind(),
            "ids_sha256": deletion.digest(),
        }  # fmt: skip
        signed = jwt.encode(payload, self._key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": self._kid})
        return HEADER, signed.encode()


def public_text(key: bytes) -> str:
    """Return the public half of a private key as base64url text: the `x` of its JWK."""
    return base64url_encode(Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()).decode()


def kid_of(public: str) -> str:
    """Return the id (`kid`) of a public key: the SHA-256 thumbprint of its JWK (RFC 7638)."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}'
    return base64url_encode(sha256(canonical.encode()).digest()).decode()


def jwk_of(public: str) -> dict[str, str]:
    """Return a public key as a JWK (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": kid_of(public), "x": public}


def verify_receipt(receipt: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the payload of a receipt that one of `keys` (kid → public text) signed.

    Raises:
        ReceiptInvalid: it is no receipt, was changed, or was signed by another key.
    """
    try:
        if len(receipt) > MAX_RECEIPT_CHARS:
            raise ReceiptInvalid("It is too long for a receipt.")
        header = jwt.get_unverified_header(receipt)
        public = keys.get(str(header.get("kid")))
        if header.get("typ") != TYPE or header.get("alg") != ALGORITHM:
            raise ReceiptInvalid("It is signed, but it is not a receipt of a deletion.")
        if public is None:
            raise ReceiptInvalid("None of the keys has its `kid`: another installation made it.")
        key = Ed25519PublicKey.from_public_bytes(base64url_decode(public))
        payload: dict[str, Any] = jwt.decode(receipt, key, algorithms=[ALGORITHM], options={"verify_aud": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise ReceiptInvalid("It was changed, or it is not whole.") from error
    return payload
