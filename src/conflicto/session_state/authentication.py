"""Authentication of every request: token → caller → role and session of the route."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from conflicto.access.errors import OperatorOnly, RoleNotAllowed, TokenInvalid, TokenMissing
from conflicto.access.links import legacy_scope
from conflicto.access.roles import OPERATORS, Caller, Role
from conflicto.access.tokens import Claims, Tokens, digest, matches
from conflicto.platform.problems import DomainError, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conflicto.access.tickets import UsedTickets
    from conflicto.platform.response_cache.response_cache import ViewCache
    from conflicto.session_state.session_cache import SessionCache
    from conflicto.session_state.state import SessionState

NOT_A_JWT = 0
BEARER = "bearer "

OPERATOR_HINT = "This takes the operator's token: ask the operator to do it, or sign in at /host with that token."


async def _accept_always() -> None:
    """Accept callers whose authentication cannot end: the operator, and callers without a token."""


class Authenticated(NamedTuple):
    """An authenticated caller (None where anyone may call), and a renewed token if theirs is old.

    The result is valid for `lifetime_s` seconds. `reauthenticate` raises `TokenInvalid` once the
    caller's token is no longer valid. `view_cache` holds the responses of the caller's view, if the
    result may be cached.
    """

    caller: Caller | None
    renewed: str | None = None
    lifetime_s: int = 0
    reauthenticate: Callable[[], Awaitable[None]] = _accept_always
    view_cache: ViewCache | None = None


class TokenAuthenticator:
    """Authenticates callers by token or ticket. One per process."""

    def __init__(
        self,
        tokens: Tokens,
        admin_hash: str,
        sessions: SessionCache,
        tickets: UsedTickets,
        *,
        metrics_token: str | None = None,
    ) -> None:
        self._tokens = tokens
        self._admin_hash = admin_hash
        self._metrics_hash = digest(metrics_token) if metrics_token is not None else None
        self._sessions = sessions
        self._tickets = tickets

    async def authenticate(
        self, roles: frozenset[Role], authorization: str | None, params: Mapping[str, object], ticket: str | None = None
    ) -> Authenticated:
        """Authenticate the caller by their token or, if the route accepts one, by a ticket.

        Raises:
            TokenMissing, TokenInvalid: there is no token, or it is not valid.
            RoleNotAllowed, OperatorOnly: the role may not use this route.
            NotFound: the path names another session or participant.
        """
        if not roles:
            return Authenticated(None)
        if authorization is None and ticket is not None:
            return await self._authenticate_ticket(roles, ticket, params)
        token = _bearer(authorization)
        if token.count(".") == NOT_A_JWT:
            return Authenticated(await self._authenticate_secret(token, roles, params))
        claims = self._tokens.verify(token)
        caller = await self._authorize(claims, roles, params)
        lifetime_s = self._tokens.lifetime_s(claims)
        view_cache = self._sessions.view_cache_of(caller) if lifetime_s > 0 else None
        return Authenticated(caller, self._tokens.renew(claims), lifetime_s, partial(self._reauthenticate, claims), view_cache)

    async def create_ticket(self, caller: Caller, session_id: int) -> str:
        """Return a ticket that opens one stream. The operator gets a host's ticket.

        Raises:
            NotFound: the session does not exist.
        """
        state = await self._sessions.find(session_id)
        if state is None:
            raise NotFound
        ticket_caller = Caller(Role.HOST, caller.subject, session_id) if caller.role is Role.ADMIN else caller
        return self._tokens.mint_ticket(
            ticket_caller, session_id, version=_version(state, ticket_caller), until_s=self._tokens.max_expiry_s(ticket_caller)
        )

    @staticmethod
    def refusals(roles: frozenset[Role]) -> tuple[type[DomainError], ...]:
        """Return the errors of `authenticate` on a route for these roles."""
        if not roles:
            return ()
        return (TokenMissing, TokenInvalid, OperatorOnly if roles in OPERATORS else RoleNotAllowed)

    async def _authenticate_ticket(self, roles: frozenset[Role], ticket: str, params: Mapping[str, object]) -> Authenticated:
        claims, name = self._tokens.verify_ticket(ticket)
        caller = await self._authorize(claims, roles, params)
        await self._tickets.use(name)
        return Authenticated(caller, reauthenticate=partial(self._reauthenticate, claims))

    async def _authorize(self, claims: Claims, roles: frozenset[Role], params: Mapping[str, object]) -> Caller:
        caller = await self._require_valid(claims)
        self.require_access(caller, roles, params)
        return caller

    def require_access(self, caller: Caller, roles: frozenset[Role], params: Mapping[str, object]) -> None:
        """Refuse a member of a session whose role or path is wrong.

        Raises:
            RoleNotAllowed, OperatorOnly, NotFound: as `authenticate`.
        """
        if caller.role not in roles:
            raise _wrong_role(roles)
        if params.get("session_id", caller.session_id) != caller.session_id:
            raise NotFound
        if caller.role is Role.PARTICIPANT and params.get("participant_id", caller.participant_id) != caller.participant_id:
            raise NotFound

    async def _reauthenticate(self, claims: Claims) -> None:
        self._tokens.require_unexpired(claims)
        await self._require_valid(claims)

    async def _authenticate_secret(self, token: str, roles: frozenset[Role], params: Mapping[str, object]) -> Caller:
        role = self._role_of(token)
        if role not in roles:
            raise _wrong_role(roles)
        if role is Role.METRICS:
            return Caller(role, "metrics")
        session_id = params.get("session_id")
        if isinstance(session_id, int) and await self._sessions.find(session_id) is None:
            raise NotFound
        return Caller(Role.ADMIN, "admin")

    def _role_of(self, token: str) -> Role:
        if matches(token, self._admin_hash):
            return Role.ADMIN
        if self._metrics_hash is not None and matches(token, self._metrics_hash):
            return Role.METRICS
        raise TokenInvalid

    async def _require_valid(self, claims: Claims) -> Caller:
        """Compare the token with the session's token state.

        A token newer than the state in memory causes one read of the database.
        """
        state = self._sessions.cached(claims.session_id)
        caller = None if state is None else _caller_with_scope(state, claims)
        for fresh in (False, True):
            if caller is not None:
                return caller
            state = await self._sessions.find(claims.session_id, fresh=fresh)
            if state is None:
                raise TokenInvalid
            caller = _caller_with_scope(state, claims)
        if caller is None:
            raise TokenInvalid
        return caller


def _caller_with_scope(state: SessionState, claims: Claims) -> Caller | None:
    """Return the caller with the scope of their link, None if the token state is too old.

    Raises:
        TokenInvalid: the token was rotated, its link revoked, or its seat left.
    """
    caller, version = claims.caller, _version(state, claims.caller)
    if version != claims.version:
        if version > claims.version:
            raise TokenInvalid
        return None
    if caller.link is None:
        return caller
    link = state.links.get(caller.link)
    if link is None:
        return replace(caller, scope=legacy_scope(caller.role)) if claims.is_legacy else None
    if link.revoked_us is not None or link.role is not caller.role:
        raise TokenInvalid
    return replace(caller, scope=link.scope)


def _version(state: SessionState, caller: Caller) -> int:
    return state.token_version() if caller.participant_id is None else state.seat_version(caller.participant_id)


def _wrong_role(roles: frozenset[Role]) -> DomainError:
    return OperatorOnly(OPERATOR_HINT) if roles in OPERATORS else RoleNotAllowed()


def _bearer(authorization: str | None) -> str:
    if authorization is None:
        raise TokenMissing
    if authorization[: len(BEARER)].lower() != BEARER:
        raise TokenInvalid
    return authorization[len(BEARER) :].strip()
