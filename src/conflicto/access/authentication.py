"""The gate in front of every route: token → caller → may this role call this route, in this session?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from conflicto.access.errors import OperatorOnly, RoleNotAllowed, TokenInvalid, TokenMissing
from conflicto.access.links import legacy_scope
from conflicto.access.roles import OPERATORS, Caller, Role
from conflicto.access.tokens import Claims, Tokens, digest, matches
from conflicto.platform.problems import DomainError, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from uuid import UUID

    from conflicto.access.links import Link
    from conflicto.access.tickets import UsedTickets

NOT_A_JWT = 0
BEARER = "bearer "

OPERATOR_HINT = "This takes the operator's token: ask the operator to do it, or sign in at /host with that token."


class SessionTokens(Protocol):
    """What decides whether the tokens of a session are alive."""

    def token_version(self) -> int:
        """Return the version that host and screen tokens must have."""

    @property
    def links(self) -> Mapping[UUID, Link]:
        """The known links of the session, by their ids."""

    def seat_version(self, participant_id: int) -> int:
        """Return the version that the tokens of a seat must have; giving it up raises it, so the tokens of the gone are dead."""


class TokenVersions(Protocol):
    """Where standings are found: the memory of the feed."""

    def cached(self, session_id: int) -> SessionTokens | None:
        """Return the standing of a session if it is in memory."""

    async def find(self, session_id: int, *, fresh: bool = False) -> SessionTokens | None:
        """Return the standing of a session, None if there is no such session; `fresh` asks the database."""


async def _always() -> None:
    """Let in whoever was let in before: the operator, and those who need no token."""


class Authenticated(NamedTuple):
    """Who was let in (None where anyone may call), a renewed token if theirs is old, and how long it is sure to stay so, in seconds.

    `again` raises `TokenInvalid` as soon as the caller would not be let in any more.
    """

    caller: Caller | None
    renewed: str | None = None
    lifetime_s: int = 0
    reauthenticate: Callable[[], Awaitable[None]] = _always


class TokenAuthenticator:
    """Decides who may call what. One per process."""

    def __init__(
        self,
        tokens: Tokens,
        admin_hash: str,
        token_versions: TokenVersions,
        tickets: UsedTickets,
        *,
        metrics_token: str | None = None,
    ) -> None:
        self._tokens = tokens
        self._admin_hash = admin_hash
        self._metrics_hash = digest(metrics_token) if metrics_token is not None else None
        self._token_versions = token_versions
        self._tickets = tickets

    async def authenticate(
        self, who: frozenset[Role], authorization: str | None, params: Mapping[str, object], ticket: str | None = None
    ) -> Authenticated:
        """Let the caller in, by their token or, where a route takes one, by a ticket.

        Raises:
            TokenMissing, TokenInvalid: no token, or none that lives.
            RoleNotAllowed, OperatorOnly: the role may not call this route.
            NotFound: the path names another session, or another participant.
        """
        if not who:
            return Authenticated(None)
        if authorization is None and ticket is not None:
            return await self._by_ticket(who, ticket, params)
        token = _bearer(authorization)
        if token.count(".") == NOT_A_JWT:
            return Authenticated(await self._by_secret(token, who, params))
        claims = self._tokens.verify(token)
        caller = await self._fitting(claims, who, params)
        return Authenticated(caller, self._tokens.renew(claims), self._tokens.lifetime_s(claims), partial(self._again, claims))

    async def create_ticket(self, caller: Caller, session_id: int) -> str:
        """Return a ticket to open a stream with, once; the operator's is a host's.

        Raises:
            NotFound: the session is gone.
        """
        standing = await self._token_versions.find(session_id)
        if standing is None:
            raise NotFound
        bearer = Caller(Role.HOST, caller.subject, session_id) if caller.role is Role.ADMIN else caller
        return self._tokens.mint_ticket(
            bearer, session_id, version=_version(standing, bearer), until_s=self._tokens.max_expiry_s(bearer)
        )

    async def _by_ticket(self, who: frozenset[Role], ticket: str, params: Mapping[str, object]) -> Authenticated:
        claims, name = self._tokens.verify_ticket(ticket)
        caller = await self._fitting(claims, who, params)
        await self._tickets.use(name)
        return Authenticated(caller, reauthenticate=partial(self._again, claims))

    async def _fitting(self, claims: Claims, who: frozenset[Role], params: Mapping[str, object]) -> Caller:
        caller = await self._alive(claims)
        if caller.role not in who:
            raise _wrong_role(who)
        if params.get("session_id", caller.session_id) != caller.session_id:
            raise NotFound
        if caller.role is Role.PARTICIPANT and params.get("participant_id", caller.participant_id) != caller.participant_id:
            raise NotFound
        return caller

    async def _again(self, claims: Claims) -> None:
        self._tokens.require_unexpired(claims)
        await self._alive(claims)

    async def _by_secret(self, token: str, who: frozenset[Role], params: Mapping[str, object]) -> Caller:
        role = self._role_of(token)
        if role not in who:
            raise _wrong_role(who)
        if role is Role.METRICS:
            return Caller(role, "metrics")
        session_id = params.get("session_id")
        if isinstance(session_id, int) and await self._token_versions.find(session_id) is None:
            raise NotFound
        return Caller(Role.ADMIN, "admin")

    def _role_of(self, token: str) -> Role:
        if matches(token, self._admin_hash):
            return Role.ADMIN
        if self._metrics_hash is not None and matches(token, self._metrics_hash):
            return Role.METRICS
        raise TokenInvalid

    async def _alive(self, claims: Claims) -> Caller:
        """Compare the token with the session's standing; a token newer than what is known reads the database once."""
        standing = self._token_versions.cached(claims.session_id)
        caller = None if standing is None else _known_caller(standing, claims)
        for fresh in (False, True):
            if caller is not None:
                return caller
            standing = await self._token_versions.find(claims.session_id, fresh=fresh)
            if standing is None:
                raise TokenInvalid
            caller = _known_caller(standing, claims)
        if caller is None:
            raise TokenInvalid
        return caller


def _known_caller(standing: SessionTokens, claims: Claims) -> Caller | None:
    """Return the caller with the scope of their link, None if the standing is too old to tell.

    Raises:
        TokenInvalid: the token was rotated away, its link revoked, or its seat given up.
    """
    caller, version = claims.caller, _version(standing, claims.caller)
    if version != claims.version:
        if version > claims.version:
            raise TokenInvalid
        return None
    if caller.link is None:
        return caller
    link = standing.links.get(caller.link)
    if link is None:
        return replace(caller, scope=legacy_scope(caller.role)) if claims.is_legacy else None
    if link.revoked_us is not None or link.role is not caller.role:
        raise TokenInvalid
    return replace(caller, scope=link.scope)


def _version(standing: SessionTokens, caller: Caller) -> int:
    return standing.token_version() if caller.participant_id is None else standing.seat_version(caller.participant_id)


def refusals(who: frozenset[Role]) -> tuple[type[DomainError], ...]:
    """Return the errors of `Admission.admit` that a route for these roles may answer with, for the OpenAPI document."""
    if not who:
        return ()
    return (TokenMissing, TokenInvalid, OperatorOnly if who in OPERATORS else RoleNotAllowed)


def _wrong_role(who: frozenset[Role]) -> DomainError:
    return OperatorOnly(OPERATOR_HINT) if who in OPERATORS else RoleNotAllowed()


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise TokenMissing
    if authorization[: len(BEARER)].lower() != BEARER:
        raise TokenInvalid
    return authorization[len(BEARER) :].strip()
