import base64
import json
from typing import Any
from uuid import UUID

import jwt
import pytest

from conflicto.access import tokens as module
from conflicto.access.errors import TokenInvalid
from conflicto.access.links import legacy_link_id
from conflicto.access.roles import Role
from conflicto.access.tokens import VERIFIED_BYTES, Tokens, digest, matches
from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import TICKS
from conflicto.platform.instants import S_PER_DAY
from tests.support.clocks import HandClock

KEY = b"k" * 64
ONE = UUID(int=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tokens(clock: HandClock) -> Tokens:
    return Tokens(KEY, "epoch", clock)


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def signed(token: str, *, header: dict[str, Any] | None = None, key: bytes = KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """Return the token with other claims (`...` drops one) and header fields, signed again."""
    old_header, old_claims = parts(token)
    payload = {name: value for name, value in (old_claims | claims).items() if value is not ...}
    fields = {name: value for name, value in (old_header | (header or {})).items() if value is not ... and name != "alg"}
    return jwt.encode(payload, key, algorithm=algorithm, headers=fields)


def fresh(clock: HandClock) -> Tokens:
    """Return a process that has not seen any token yet."""
    return Tokens(KEY, "epoch", clock)


@pytest.mark.parametrize("role", [Role.HOST, Role.SCREEN, Role.PARTICIPANT])
def test_a_new_token_contains_its_caller(tokens: Tokens, clock: HandClock, role: Role) -> None:
    subject = "77" if role is Role.PARTICIPANT else None
    token = tokens.mint(role, 5, version=3, subject=subject)
    header, claims = parts(token)

    assert (header["alg"], header["typ"]) == ("HS256", f"{role}+jwt")
    assert set(claims) == {"iss", "aud", "sub", "sid", "role", "ver", "jti", "iat", "exp", "end"}
    assert claims["end"] - claims["iat"] == 180 * S_PER_DAY
    assert claims["exp"] - claims["iat"] == (14 if role is Role.PARTICIPANT else 30) * S_PER_DAY
    for process in (tokens, fresh(clock)):
        verified = process.verify(token)
        assert (verified.session_id, verified.version, verified.caller.role, verified.caller.session_id) == (5, 3, role, 5)
        assert verified.caller.participant_id == (77 if role is Role.PARTICIPANT else None)
        assert process.verify(token) is verified
    assert tokens.mint(role, 5, version=3, subject=subject) != token


@pytest.mark.parametrize("role", [Role.HOST, Role.SCREEN, Role.PARTICIPANT])
def test_a_new_token_is_the_one_that_the_library_encodes(clock: HandClock, role: Role) -> None:
    tokens = Tokens(KEY, "Über", clock)
    for _ in range(2):  # the second one from the kept header
        token = tokens.mint(role, 5, version=3, subject="77")
        header, claims = parts(token)
        assert token == jwt.encode(claims, KEY, algorithm="HS256", headers={"typ": header["typ"], "kid": header["kid"]})


def test_a_cached_token_expires(tokens: Tokens, clock: HandClock) -> None:
    token = tokens.mint(Role.PARTICIPANT, 5, version=1, subject="77")
    clock.advance(14 * S_PER_DAY - 2)
    tokens.verify(token)
    clock.advance(3)

    for process in (tokens, fresh(clock)):
        with pytest.raises(TokenInvalid):
            process.verify(token)


def test_token_in_use_is_renewed_in_its_second_half(tokens: Tokens, clock: HandClock) -> None:
    token = tokens.mint(Role.PARTICIPANT, 5, version=2, subject="77")
    assert tokens.renew(tokens.verify(token)) is None
    clock.advance(7 * S_PER_DAY)

    renewed = tokens.renew(tokens.verify(token))

    assert renewed is not None
    before, after = parts(token)[1], parts(renewed)[1]
    assert {name for name in before if before[name] != after[name]} == {"jti", "iat", "exp"}
    assert tokens.renew(tokens.verify(renewed)) is None


@pytest.mark.parametrize("role", [Role.HOST, Role.PARTICIPANT])
def test_renewals_end_at_the_absolute_end_of_the_first_token(clock: HandClock, role: Role) -> None:
    tokens = Tokens(KEY, "epoch", clock, max_days=45)
    began_s = clock.wall_us() // 1_000_000
    token, renewals = tokens.mint(role, 5, version=2, subject="77", link=ONE if role is Role.HOST else None), 0
    for _ in range(45):
        clock.advance(S_PER_DAY - 1)
        claims = fresh(clock).verify(token)
        assert claims.caller.link == (ONE if role is Role.HOST else None)
        renewed = tokens.renew(claims)
        if renewed:
            token, renewals = renewed, renewals + 1
            assert parts(token)[1]["exp"] <= began_s + 45 * S_PER_DAY
            assert tokens.max_expiry_s(tokens.verify(token).caller) <= began_s + 45 * S_PER_DAY
    clock.advance(60)

    for process in (tokens, fresh(clock)):
        with pytest.raises(TokenInvalid):
            process.verify(token)
    assert renewals == (2 if role is Role.HOST else 5)


def test_legacy_tokens_count_from_the_migration(clock: HandClock) -> None:
    old = signed(
        Tokens(KEY, "epoch", clock).mint(Role.HOST, 5, version=1), end=..., exp=clock.wall_us() // 1_000_000 + 30 * S_PER_DAY
    )
    since_s = clock.wall_us() // 1_000_000
    tokens = Tokens(KEY, "epoch", clock, max_days=20, links_since_s=since_s)
    clock.advance(16 * S_PER_DAY)

    claims = tokens.verify(old)
    assert (claims.caller.link, claims.is_legacy, claims.expires_s) == (
        legacy_link_id(Role.HOST, 5),
        True,
        since_s + 20 * S_PER_DAY,
    )
    renewed = tokens.verify(tokens.renew(claims) or "")
    assert (renewed.caller, renewed.is_legacy, renewed.expires_s) == (claims.caller, True, since_s + 20 * S_PER_DAY)
    clock.advance(5 * S_PER_DAY)
    for token in (old, tokens.mint(Role.PARTICIPANT, 5, version=1, subject="7", end_s=tokens.absolute_end_s(0))):
        with pytest.raises(TokenInvalid):
            tokens.verify(token)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"}, {"iss": ...}, {"aud": "other"}, {"aud": ...}, {"sub": ...}, {"sub": 5}, {"sid": ...}, {"sid": "5"}, {"sid": 5.0},
        {"sid": True}, {"role": ...}, {"role": "admin"}, {"role": "king"}, {"role": "screen"}, {"ver": ...}, {"ver": "1"}, {"ver": None},
        {"jti": ...}, {"jti": 5}, {"jti": "other"},
        {"end": "9999999999"}, {"end": 1.5}, {"end": True}, {"end": 0},
        {"iat": ...}, {"iat": "1"}, {"exp": ...}, {"exp": "9999999999"}, {"exp": 1e400}, {"exp": 0}, {"exp": True},
        {"header": {"typ": "screen+jwt"}}, {"header": {"typ": "JWT"}}, {"header": {"kid": "other"}}, {"header": {"kid": ...}},
        {"header": {"kid": "../../etc/passwd"}}, {"header": {"jku": "http://127.0.0.1/"}, "key": b"x" * 64}, {"key": b"x" * 64},
        {"algorithm": "HS384"}, {"algorithm": "HS512"},
    ],
)  # fmt: skip
def test_a_token_with_changed_claims_is_refused(clock: HandClock, change: dict[str, Any]) -> None:
    token = Tokens(KEY, "epoch", clock).mint(Role.HOST, 5, version=1)
    fresh(clock).verify(signed(token))

    with pytest.raises(TokenInvalid):
        fresh(clock).verify(signed(token, **change))


@pytest.mark.parametrize("subject", ["", "x", "-1", "1.0", "\u0667", "9" * 16, " 7"])
def test_seat_is_a_number(clock: HandClock, subject: str) -> None:
    token = Tokens(KEY, "epoch", clock).mint(Role.PARTICIPANT, 5, version=1, subject="7")

    with pytest.raises(TokenInvalid):
        fresh(clock).verify(signed(token, sub=subject))


def b64(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def test_unsigned_and_broken_tokens_are_refused(clock: HandClock) -> None:
    token = Tokens(KEY, "epoch", clock).mint(Role.HOST, 5, version=1)
    header, payload, signature = token.split(".")
    _, claims = parts(token)
    unsigned = [f"{b64({'alg': alg, 'typ': 'host+jwt'})}.{payload}." for alg in ("none", "None", "nOnE")]
    nested = "[" * 500 + "]" * 500
    deep = f"{header}.{base64.urlsafe_b64encode(nested.encode()).decode()}.{signature}"
    broken = ["", ".", "..", "a.b.c", token[:-2], token + "x", f"{header}.{payload}", f"{header}.{b64([claims])}.{signature}", deep,
              token.replace(".", " ."), token + "." + signature, "x" * 2049, "\ud800.a.b"]  # fmt: skip

    for each in unsigned + broken:
        with pytest.raises(TokenInvalid):
            fresh(clock).verify(each)


def test_the_number_of_cached_tokens_is_bounded(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CACHED_TOKENS", 3)
    tokens = Tokens(KEY, "epoch", clock)
    minted = [tokens.mint(Role.HOST, number, version=1) for number in range(5)]

    assert len(tokens._verified) <= 3
    assert [tokens.verify(token).session_id for token in minted] == [0, 1, 2, 3, 4]


def test_short_keys_are_refused(clock: HandClock) -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        Tokens(b"k" * 31, "epoch", clock)


def test_an_opaque_secret_matches_only_its_digest() -> None:
    stored = digest("secret")

    assert matches("secret", stored)
    assert not any(matches(other, stored) for other in ("", "Secret", "secret ", stored, "\ud800"))


def test_verified_tokens_are_dropped_with_age_and_verified_again(clock: HandClock) -> None:
    budget = CacheBudget()
    tokens = Tokens(KEY, "epoch", clock, budget=budget)
    (account,) = budget.accounts
    token = tokens.mint(Role.HOST, 5, version=1)
    tokens.mint(Role.SCREEN, 5, version=1)
    for _ in range(TICKS):
        account.age()
    assert (tokens.verify(token).session_id, len(tokens._verified)) == (5, 2)
    for _ in range(TICKS):
        account.age()
    assert (len(tokens._verified), account.bytes) == (1, VERIFIED_BYTES + len(token))
    for _ in range(TICKS * 2):
        account.age()
    assert (len(tokens._verified), account.bytes) == (0, 0)
    assert tokens.verify(token).session_id == 5
