"""Receipts of deletions: signed for whoever asked, in a header of the response, and stored nowhere.

JWS in compact form (RFC 7515) with Ed25519 (RFC 8037). Its payload holds counts, the day, and a
digest over the ids that went, so it proves a deletion to who knows these ids and tells nobody else.
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
"""Headers of a deletion's success, for the OpenAPI document."""

ALGORITHM = "EdDSA"
TYPE = "deletion-receipt+jwt"
MAX_RECEIPT_CHARS = 4_096
"""Ours have about 550. Checked before any parsing."""

DATE_CHARS = 10
"""Of an instant, `YYYY-MM-DD`: a receipt tells the day in UTC, never the moment."""

DeletedIds = dict[str, set[str]]
"""Ids that were deleted, by kind: `sessions`, `activities`, `participants`, `responses`."""


@runtime_checkable
class DeletionEvent(Protocol):
    """An event after which some ids may be gone."""

    def deletes(self) -> tuple[str, Iterable[int | UUID]]:
        """Return the kind and the ids that went, none if nothing was deleted."""


@runtime_checkable
class PrivateDeletionEvent(Protocol):
    """An event after which some ids may be gone that nobody but their author was ever told of."""

    def deletes_unseen(self) -> tuple[str, Iterable[int | UUID]]:
        """Return the kind and the ids that went, none if nothing was deleted."""


@dataclass(slots=True)
class Deletion:
    """The ids that some commands deleted. `counts` adds what has no id here: an activity's answers go with the activity."""

    ids: DeletedIds = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, ids: Iterable[object]) -> None:
        """Add ids of one kind."""
        self.ids.setdefault(kind, set()).update(str(each) for each in ids)

    def merge(self, other: Deletion) -> None:
        """Add what another deletion holds: a request may take several transactions."""
        for kind, ids in other.ids.items():
            self.add(kind, ids)

    def counts_by_kind(self) -> dict[str, int]:
        """Return how many of each kind went."""
        return {kind: len(ids) for kind, ids in sorted(self.ids.items()) if ids} | self.counts

    def digest(self) -> str:
        """Return the SHA-256 of all ids in their sorted order, a line each, in hexadecimal digits."""
        return digest_of(each for ids in self.ids.values() for each in ids)


def digest_of(ids: Iterable[str]) -> str:
    """Return the SHA-256 of ids in their sorted order, a line each, in hexadecimal digits."""
    return sha256("".join(f"{each}\n" for each in sorted(ids)).encode()).hexdigest()


def run_with_deletion(tx: WriteTx, command: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Deletion]:  # noqa: ANN401 - the command's
    """Run a command and return its value with what it deleted."""
    told, deletion = len(tx.events), Deletion()
    value = command(tx, *args, **options)
    for event in tx.events[told:]:
        if isinstance(event, DeletionEvent):
            deletion.add(*event.deletes())
    return value, deletion


def run_with_deletion_for_author(tx: WriteTx, command: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, Deletion]:  # noqa: ANN401
    """Run a command as `recorded` does, and tell as well of what nobody but the author was ever told of."""
    told = len(tx.events)
    value, deletion = run_with_deletion(tx, command, *args, **options)
    for event in tx.events[told:]:
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
        """Return the header that brings the receipt of a deletion."""
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
    """Return the name of a public key: the SHA-256 thumbprint of its JWK (RFC 7638)."""
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}'
    return base64url_encode(sha256(canonical.encode()).digest()).decode()


def jwk_of(public: str) -> dict[str, str]:
    """Return a public key as a JWK (RFC 8037)."""
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": kid_of(public), "x": public}


def verify_receipt(receipt: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the payload of a receipt that one of `keys` (kid → public text) signed.

    Raises:
        ReceiptInvalid: it is no receipt, it was changed, or none of the keys signed it.
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
