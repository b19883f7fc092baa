"""Endpoint for the public keys of receipts."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel

from conflicto.access.identity import receipt_public_keys
from conflicto.access.receipts import jwk_of
from conflicto.access.roles import ANYONE
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database
from conflicto.platform.http.health import DOCUMENTS
from conflicto.platform.http.messages import Request, Response, json_response
from conflicto.platform.http.paging import example
from conflicto.platform.http.routes import Docs, Route, route

KEYS_PATH = "/.well-known/jwks.json"

KEYS_CACHE_S = 60.0

KEY_EXAMPLE = {
    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}  # fmt: skip


class KeyOut(BaseModel):
    """A public key as a JWK (RFC 8037)."""

    kty: str
    crv: str
    use: str
    alg: str
    kid: str
    x: str


class KeySetOut(BaseModel):
    """Every key that signs or signed receipts of deletions here: a JWK Set (RFC 7517)."""

    model_config = example(keys=[KEY_EXAMPLE])

    keys: list[KeyOut]


@dataclass(slots=True)
class KeyEndpoints:
    """Public keys, read from the database at most once a minute."""

    db: Database
    clock: Clock
    _keys: dict[str, str] = field(default_factory=dict)
    _fresh_until_s: float = -1.0

    async def keys(self, request: Request) -> Response:
        """Return the public keys of receipts."""
        if self.clock.monotonic_s() >= self._fresh_until_s:
            self._keys = await self.db.read(receipt_public_keys)
            self._fresh_until_s = self.clock.monotonic_s() + KEYS_CACHE_S
        keys = [jwk_of(self._keys[kid]) for kid in sorted(self._keys)]
        return json_response({"keys": keys}, headers=((b"cache-control", b"public, max-age=300"),))


def routes(keys: KeyEndpoints) -> list[Route]:
    """Return the routes of this package."""
    docs = Docs(summary="Read the public keys of receipts", responses={200: KeySetOut})
    return [route("GET", KEYS_PATH, keys.keys, prefix="", roles=ANYONE, policy=DOCUMENTS, tag="operation", docs=docs)]
