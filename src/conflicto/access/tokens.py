"""Tokens of hosts, screens and participants: signed, of one session, one role and one version.

JWT with HS256 and nothing else (RFC 8725): the header's `typ` is `<role>+jwt`, its `kid` names the
key, and every claim is required. `jti` names the link behind a host's or screen's token, and `end`
the second after which no renewal is good. Tokens without `end` were issued before links existed:
they count from the instant of that migration, and belong to one link for each session and role.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from json import JSONEncoder
from typing import TYPE_CHECKING, Any
from uuid import UUID

import jwt

from conflicto.access.errors import TokenInvalid
from conflicto.access.link_keys import LinkKeys
from conflicto.access.links import legacy_link_id
from conflicto.access.roles import Caller, Role
from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import Generations
from conflicto.platform.ids import opaque_secret, random_uuid
from conflicto.platform.instants import S_PER_DAY, US_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.platform.clock import Clock

ALGORITHM = "HS256"
AUDIENCE = "conflicto"
MIN_KEY_BYTES = 32
MAX_TOKEN_CHARS = 2048
"""Longest token. The server's tokens have about 400 characters. It is checked before parsing."""

LIFETIME_S = {Role.HOST: 30 * S_PER_DAY, Role.SCREEN: 30 * S_PER_DAY, Role.PARTICIPANT: 14 * S_PER_DAY}
DEFAULT_MAX_TOKEN_DAYS = 180
"""Days from the first issue of a token to the end of its last renewal."""

MAX_PARTICIPANT_ID_DIGITS = 15
"""Longest participant id in a token."""

CLAIMS = ["iss", "aud", "sub", "sid", "role", "ver", "jti", "iat", "exp"]

TICKET_AUDIENCE = "conflicto-stream"
TICKET_LIFETIME_S = 60
"""Life of a ticket: long enough to open a stream, too short to misuse a logged URL."""

MAX_CACHED_TOKENS = 100_000
"""Number of cached verified tokens. When full, the cache is cleared."""

VERIFIED_BYTES = 700
"""Size of a verified token without its text."""

SHARE = 0.05
"""Share of the budget of all caches."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of a verified token. Times are in seconds since 1970 UTC.

    From `renew_s` on, responses contain a renewed token. The caller's `link` is None for seats and
    for tickets of the operator. The caller's `end_s` bounds every renewal.
    """

    caller: Caller
    session_id: int
    version: int
    renew_s: int
    expires_s: int

    @property
    def is_legacy(self) -> bool:
        """True if the token predates links, or renews such a token."""
        return self.caller.link == legacy_link_id(self.caller.role, self.session_id)


class Tokens:
    """Issues and verifies tokens, and caches verified ones."""

    def __init__(
        self,
        key: bytes,
        issuer: str,
        clock: Clock,
        *,
        max_days: int = DEFAULT_MAX_TOKEN_DAYS,
        links_since_s: int | None = None,
        budget: CacheBudget | None = None,
    ) -> None:
        if len(key) < MIN_KEY_BYTES:
            message = f"The signing key has {len(key)} bytes; it needs at least {MIN_KEY_BYTES}."
            raise ValueError(message)
        self.link_keys = LinkKeys(key)
        self._key = key
        self._kid = blake2b(key, digest_size=6).hexdigest()
        self._heads: dict[Role, bytes] = {}
        self.issuer = issuer
        self._clock = clock
        self.max_lifetime_s = max_days * S_PER_DAY
        self._links_since_s = clock.wall_us() // US_PER_S if links_since_s is None else links_since_s
        self._verified: Generations[str, Claims] = Generations()
        self._account = (budget or CacheBudget()).account("tokens", share=SHARE, evict=self._clear, age=self._age)

    def absolute_end_s(self, first_s: int) -> int:
        """Return the absolute end of tokens that were first issued at `first_s`.

        Tokens that predate links count from the migration that added them.
        """
        return max(first_s, self._links_since_s) + self.max_lifetime_s

    def mint(
        self,
        role: Role,
        session_id: int,
        *,
        version: int,
        subject: str | None = None,
        link: UUID | None = None,
        end_s: int | None = None,
    ) -> str:
        """Return a new token.

        The `subject` of a participant is their id. Others derive it from the link if it is None.
        The token expires after the role's lifetime, at the latest at `end_s` (None: this is the
        first issue).
        """
        now = self._clock.wall_us() // US_PER_S
        link = link or random_uuid()
        subject = subject or f"{role}-{link}"
        end_s = now + self.max_lifetime_s if end_s is None else end_s
        expires_s = min(now + LIFETIME_S[role], end_s)
        claims = {
            "iss": self.issuer, "aud": AUDIENCE, "sub": subject, "sid": session_id, "role": role.value,
            "ver": version, "jti": str(link), "iat": now, "exp": expires_s, "end": end_s,
        }  # fmt: skip
        token = self._encode(claims, role)
        self._cache_verified(token, _claims(_caller(role, session_id, subject, link, (end_s, expires_s)), version, now))
        return token

    def mint_ticket(self, caller: Caller, session_id: int, *, version: int, until_s: int) -> str:
        """Return a ticket for one stream as `caller`, valid for a minute.

        The stream ends at `until_s`.
        """
        now = self._clock.wall_us() // US_PER_S
        claims = {
            "iss": self.issuer, "aud": TICKET_AUDIENCE, "sub": caller.subject, "sid": session_id, "role": caller.role.value,
            "ver": version, "jti": opaque_secret(12), "iat": now, "exp": now + TICKET_LIFETIME_S, "til": until_s,
            "lnk": str(caller.link or ""),
        }  # fmt: skip
        return self._encode(claims, caller.role)

    def _encode(self, claims: Mapping[str, object], role: Role) -> str:
        """Return a signed token, the same as `jwt.encode` returns.

        The library checks the key and encodes the header for each token. When a hall joins, that
        takes most of its time. Both are the same for all tokens of a role.
        """
        head = self._heads.get(role)
        if head is None:
            token = jwt.encode({}, self._key, algorithm=ALGORITHM, headers={"typ": f"{role}+jwt", "kid": self._kid})
            head = self._heads[role] = token.partition(".")[0].encode() + b"."
        signed = head + _base64url(_encode_claims(claims).encode())
        return (signed + b"." + _base64url(hmac.digest(self._key, signed, "sha256"))).decode()

    def verify_ticket(self, ticket: str) -> tuple[Claims, str]:
        """Return the claims of a ticket and its name for `UsedTickets`; raises as `verify` does."""
        payload, claims = self._decode(ticket, TICKET_AUDIENCE, [*CLAIMS, "til", "lnk"])
        until_s, link = payload["til"], payload["lnk"]
        if claims.expires_s <= self._clock.wall_us() // US_PER_S or type(until_s) is not int or type(link) is not str:
            raise TokenInvalid
        caller = replace(claims.caller, link=_link_id(link) if link else None, expires_s=until_s)
        return replace(claims, expires_s=until_s, caller=caller), str(payload["jti"])

    def verify(self, token: str) -> Claims:
        """Return the claims of a token.

        Raises:
            TokenInvalid: it is foreign, incomplete or expired.
        """
        claims = self._verified.recent.get(token) or self._verified.get(token)
        if claims is None:
            _, claims = self._decode(token, AUDIENCE, CLAIMS)
            self._cache_verified(token, claims)
        self.require_unexpired(claims)
        return claims

    def renew(self, claims: Claims) -> str | None:
        """Return a renewed token after half of a token's life, else None.

        So a token in use is valid until its absolute end.
        """
        if self._clock.wall_us() // US_PER_S < claims.renew_s:
            return None
        caller = claims.caller
        return self.mint(
            caller.role, claims.session_id, version=claims.version, subject=caller.subject, link=caller.link, end_s=caller.end_s
        )

    def max_expiry_s(self, caller: Caller) -> int:
        """Return the expiry of the caller's token if renewed now, in seconds since 1970 UTC."""
        latest_s = self._clock.wall_us() // US_PER_S + LIFETIME_S[caller.role]
        return latest_s if caller.end_s is None else min(latest_s, caller.end_s)

    def require_unexpired(self, claims: Claims) -> None:
        """Raise `TokenInvalid` if the token is expired."""
        if claims.expires_s <= self._clock.wall_us() // US_PER_S:
            raise TokenInvalid

    def lifetime_s(self, claims: Claims) -> int:
        """Return the seconds until the token expires or is due for renewal; 0 or less if it is."""
        return min(claims.renew_s, claims.expires_s) - self._clock.wall_us() // US_PER_S

    def _cache_verified(self, token: str, claims: Claims) -> None:
        if len(self._verified) >= MAX_CACHED_TOKENS:
            self._clear()
        if self._verified.put(token, claims) is None:
            self._account.add(VERIFIED_BYTES + len(token))

    def _age(self) -> None:
        self._account.add(-sum(VERIFIED_BYTES + len(token) for token, _ in self._verified.age()))

    def _clear(self) -> bool:
        """Clear the cache of verified tokens. Return whether there were any.

        Verifying a token again takes a fraction of a millisecond.
        """
        was_filled = bool(self._verified)
        self._verified.clear()
        self._account.add(-self._account.bytes)
        return was_filled

    def _decode(self, token: str, audience: str, required: list[str]) -> tuple[dict[str, Any], Claims]:
        if len(token) > MAX_TOKEN_CHARS:
            raise TokenInvalid
        try:
            decoded = jwt.decode_complete(
                token, self._key, algorithms=[ALGORITHM], audience=audience, issuer=self.issuer,
                options={"require": required, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )  # fmt: skip
            return decoded["payload"], self._claims(decoded["header"], decoded["payload"])
        except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
            raise TokenInvalid from error

    def _claims(self, header: dict[str, Any], payload: dict[str, Any]) -> Claims:
        role, subject, token_id = Role(payload["role"]), payload["sub"], payload["jti"]
        numbers = [payload[name] for name in ("sid", "ver", "iat", "exp")]
        is_complete = all(type(number) is int for number in numbers) and type(subject) is str and type(token_id) is str
        if role not in LIFETIME_S or header.get("typ") != f"{role}+jwt" or header.get("kid") != self._kid or not is_complete:
            raise TokenInvalid
        session_id, version, issued_s, expires_s = numbers
        end_s = payload.get("end")
        if end_s is None:
            link, end_s = legacy_link_id(role, session_id), self.absolute_end_s(0)
        else:
            link = _link_id(token_id)
        if type(end_s) is not int:
            raise TokenInvalid
        return _claims(_caller(role, session_id, subject, link, (end_s, min(expires_s, end_s))), version, issued_s)


_encode_claims = JSONEncoder(separators=(",", ":")).encode


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _caller(role: Role, session_id: int, subject: str, link: UUID, ends_s: tuple[int, int]) -> Caller:
    end_s, expires_s = ends_s
    if role is not Role.PARTICIPANT:
        return Caller(role, subject, session_id, link=link, end_s=end_s, expires_s=expires_s)
    if not subject.isascii() or not subject.isdecimal() or len(subject) > MAX_PARTICIPANT_ID_DIGITS:
        raise TokenInvalid
    return Caller(role, subject, session_id, int(subject), end_s=end_s, expires_s=expires_s)


def _link_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise TokenInvalid from error


def _claims(caller: Caller, version: int, issued_s: int) -> Claims:
    session_id, expires_s = caller.session_id or 0, caller.expires_s or 0
    return Claims(caller, session_id, version, issued_s + LIFETIME_S[caller.role] // 2, expires_s)


def digest(secret: str) -> str:
    """Return the stored hash of an opaque secret. It has 256 random bits, so one hash is enough."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, stored: str) -> bool:
    """Return whether an opaque secret matches a stored hash, in constant time."""
    return hmac.compare_digest(digest(secret), stored)
