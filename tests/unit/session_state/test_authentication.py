from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from conflicto.access.errors import OperatorOnly, RoleNotAllowed, TokenInvalid, TokenMissing
from conflicto.access.links import Link, Scope, legacy_link_id
from conflicto.access.roles import (
    ADMIN,
    ANYONE,
    HOSTS,
    HOSTS_AND_PARTICIPANTS,
    MEMBERS,
    METRICS_READERS,
    PARTICIPANTS,
    Caller,
    Role,
)
from conflicto.access.tickets import UsedTickets
from conflicto.access.tokens import Tokens, digest
from conflicto.platform.clock import Clock
from conflicto.platform.instants import S_PER_DAY
from conflicto.platform.problems import NotFound
from conflicto.session_state.authentication import Authenticated, TokenAuthenticator
from tests.support.clocks import HandClock

ADMIN_TOKEN = "the-operator-of-the-tests"


ONE, SCREEN, NEW = UUID(int=1), UUID(int=2), UUID(int=3)
LINK = Link(id=ONE, session_id=5, scope=Scope.HOST, name="", creator="", created_us=0, expires_us=0, revoked_us=None, changed_ts=0)


class AnyHost(dict[UUID, Link]):
    def get(self, link_id: UUID, _: Any = None) -> Link:
        return dict.get(self, link_id) or replace(LINK, id=link_id)


class FakeSessionTokens:
    """A session whose hosts' tokens all have links, unless `links` differs."""

    def __init__(self, version: int, seats: dict[int, int]) -> None:
        self.version, self.seats = version, seats
        self.links: dict[UUID, Link] = AnyHost({SCREEN: replace(LINK, scope=Scope.SCREEN)})

    def token_version(self) -> int:
        return self.version

    def seat_version(self, participant_id: int) -> int:
        return self.seats.get(participant_id, 1)


class FakeTokenVersions:
    """The token version of session 5, in this process and in the database.

    `reads` counts the database reads.
    """

    def __init__(self) -> None:
        self.memory: FakeSessionTokens | None = FakeSessionTokens(2, {77: 2})
        self.database: FakeSessionTokens | None = self.memory
        self.reads = 0

    def cached(self, session_id: int) -> FakeSessionTokens | None:
        return self.memory if session_id == 5 else None

    def view_cache_of(self, caller: Caller) -> None:
        return None

    async def find(self, session_id: int, *, fresh: bool = False) -> FakeSessionTokens | None:
        if session_id != 5:
            return None
        if fresh or self.memory is None:
            self.reads += 1
            self.memory = self.database
        return self.memory


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tokens(clock: HandClock) -> Tokens:
    return Tokens(b"k" * 32, "epoch", clock)


@pytest.fixture
def token_versions() -> FakeTokenVersions:
    return FakeTokenVersions()


@pytest.fixture
def authenticator(tokens: Tokens, token_versions: FakeTokenVersions) -> TokenAuthenticator:
    return TokenAuthenticator(tokens, digest(ADMIN_TOKEN), token_versions, UsedTickets(Clock()))


async def authenticate(authenticator: TokenAuthenticator, who: frozenset[Role], token: str | None, **params: Any) -> Caller | None:
    return (await authenticator.authenticate(who, None if token is None else f"Bearer {token}", params))[0]


async def test_routes_for_anyone_ignore_tokens(authenticator: TokenAuthenticator) -> None:
    assert await authenticator.authenticate(ANYONE, None, {}) == Authenticated(None)
    assert await authenticator.authenticate(ANYONE, "Bearer rubbish", {}) == Authenticated(None)


async def test_every_role_against_every_set(authenticator: TokenAuthenticator, tokens: Tokens) -> None:
    held = {
        Role.ADMIN: ADMIN_TOKEN,
        Role.HOST: tokens.mint(Role.HOST, 5, version=2),
        Role.SCREEN: tokens.mint(Role.SCREEN, 5, version=2, link=SCREEN),
        Role.PARTICIPANT: tokens.mint(Role.PARTICIPANT, 5, version=2, subject="77"),
    }

    for role, token in held.items():
        for who in (ADMIN, HOSTS, MEMBERS, PARTICIPANTS, HOSTS_AND_PARTICIPANTS):
            if role in who:
                caller = await authenticate(authenticator, who, token, session_id=5)
                assert caller is not None
                assert (caller.role, caller.is_host) == (role, role in HOSTS)
            else:
                with pytest.raises(RoleNotAllowed):
                    await authenticate(authenticator, who, token, session_id=5)


@pytest.mark.parametrize("header", [None])
async def test_missing_token(authenticator: TokenAuthenticator, header: str | None) -> None:
    with pytest.raises(TokenMissing):
        await authenticator.authenticate(MEMBERS, header, {})


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer ", "Bearer wrong-admin-token", "Bearer a.b.c", "bearerabc"])
async def test_other_headers(authenticator: TokenAuthenticator, header: str) -> None:
    with pytest.raises(TokenInvalid):
        await authenticator.authenticate(MEMBERS, header, {})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_scheme_in_any_case(authenticator: TokenAuthenticator, tokens: Tokens, scheme: str) -> None:
    caller = (await authenticator.authenticate(MEMBERS, f"{scheme}  {tokens.mint(Role.HOST, 5, version=2)} ", {})).caller
    assert caller is not None


async def test_other_sessions_and_seats_are_unknown(authenticator: TokenAuthenticator, tokens: Tokens) -> None:
    host, seat = tokens.mint(Role.HOST, 5, version=2), tokens.mint(Role.PARTICIPANT, 5, version=2, subject="77")

    for token, params in (
        (host, {"session_id": 6}),
        (seat, {"session_id": 6}),
        (seat, {"participant_id": 78}),
        (ADMIN_TOKEN, {"session_id": 6}),
    ):
        with pytest.raises(NotFound):
            await authenticate(authenticator, MEMBERS, token, **params)
    assert await authenticate(authenticator, MEMBERS, host, participant_id=78)
    assert await authenticate(authenticator, MEMBERS, seat, participant_id=77)
    assert await authenticate(authenticator, MEMBERS, ADMIN_TOKEN, session_id=5)
    with pytest.raises(TokenInvalid):
        await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 6, version=1))


@pytest.mark.parametrize("version", [1, 3])
async def test_tokens_of_earlier_versions_are_invalid(authenticator: TokenAuthenticator, tokens: Tokens, version: int) -> None:
    for token in (tokens.mint(Role.HOST, 5, version=version), tokens.mint(Role.PARTICIPANT, 5, version=version, subject="77")):
        with pytest.raises(TokenInvalid):
            await authenticate(authenticator, MEMBERS, token)


@pytest.mark.parametrize("change", [{"revoked_us": 1}, {"scope": Scope.SCREEN}])
async def test_a_revoked_link_or_one_of_another_role_is_invalid(
    authenticator: TokenAuthenticator, tokens: Tokens, token_versions: FakeTokenVersions, change: dict[str, Any]
) -> None:
    token = tokens.mint(Role.HOST, 5, version=2, link=ONE)
    assert await authenticate(authenticator, MEMBERS, token)
    token_versions.memory.links = {ONE: replace(LINK, **change)}

    with pytest.raises(TokenInvalid):
        await authenticate(authenticator, MEMBERS, token)
    assert token_versions.reads == 0


async def test_a_link_missing_in_memory_causes_one_database_read(
    authenticator: TokenAuthenticator, tokens: Tokens, token_versions: FakeTokenVersions
) -> None:
    token_versions.memory.links = {}
    token_versions.database = FakeSessionTokens(2, {})
    token_versions.database.links = {NEW: replace(LINK, scope=Scope.OWNER)}

    caller = await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 5, version=2, link=NEW))

    assert caller is not None
    assert (caller.scope, caller.link, token_versions.reads) == (Scope.OWNER, NEW, 1)
    token_versions.memory.links = token_versions.database.links = {}
    with pytest.raises(TokenInvalid):
        await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 5, version=2, link=UUID(int=9)))
    assert token_versions.reads == 2


@pytest.mark.parametrize(("role", "scope"), [(Role.HOST, Scope.OWNER), (Role.SCREEN, Scope.SCREEN)])
async def test_legacy_tokens_need_no_link(
    authenticator: TokenAuthenticator, tokens: Tokens, token_versions: FakeTokenVersions, role: Role, scope: Scope
) -> None:
    token_versions.memory.links = {}
    token = tokens.mint(role, 5, version=2, link=legacy_link_id(role, 5))
    caller = await authenticate(authenticator, MEMBERS, token)
    assert caller is not None
    assert (caller.role, caller.scope, token_versions.reads) == (role, scope, 0)

    token_versions.memory.links = {legacy_link_id(role, 5): replace(LINK, scope=scope, revoked_us=1)}
    with pytest.raises(TokenInvalid):
        await authenticate(authenticator, MEMBERS, token)


async def test_a_token_newer_than_memory_causes_one_database_read(
    authenticator: TokenAuthenticator, tokens: Tokens, token_versions: FakeTokenVersions
) -> None:
    token_versions.database = FakeSessionTokens(3, {77: 3})

    assert await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 5, version=3))
    assert token_versions.reads == 1
    assert await authenticate(authenticator, MEMBERS, tokens.mint(Role.PARTICIPANT, 5, version=3, subject="77"))
    assert token_versions.reads == 1
    with pytest.raises(TokenInvalid):
        await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 5, version=9))
    assert token_versions.reads == 2


async def test_a_session_missing_in_memory_is_read_from_the_database(
    authenticator: TokenAuthenticator, tokens: Tokens, token_versions: FakeTokenVersions
) -> None:
    token_versions.memory = None

    assert await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 5, version=2))
    token_versions.memory = token_versions.database = None
    with pytest.raises(TokenInvalid):
        await authenticate(authenticator, MEMBERS, tokens.mint(Role.HOST, 5, version=2))


async def test_old_tokens_are_renewed(authenticator: TokenAuthenticator, tokens: Tokens, clock: HandClock) -> None:
    token = tokens.mint(Role.PARTICIPANT, 5, version=2, subject="77")
    clock.advance(8 * S_PER_DAY)

    caller, renewed, *_ = await authenticator.authenticate(MEMBERS, f"Bearer {token}", {})

    assert renewed is not None
    assert await authenticate(authenticator, MEMBERS, renewed) == caller


def test_documented_refusals() -> None:
    assert TokenAuthenticator.refusals(ANYONE) == ()
    assert TokenAuthenticator.refusals(MEMBERS) == (TokenMissing, TokenInvalid, RoleNotAllowed)
    assert TokenAuthenticator.refusals(METRICS_READERS) == (TokenMissing, TokenInvalid, OperatorOnly)
    assert TokenAuthenticator.refusals(HOSTS) == (TokenMissing, TokenInvalid, RoleNotAllowed)


async def test_no_ticket_for_a_missing_session(authenticator: TokenAuthenticator) -> None:
    with pytest.raises(NotFound):
        await authenticator.create_ticket(Caller(Role.ADMIN, "admin"), 6)
