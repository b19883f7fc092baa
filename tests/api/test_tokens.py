"""Forged tokens (RFC 8725, reliability A-08 to A-10): only our signature for the session counts."""

import hmac
import json
from base64 import urlsafe_b64encode
from contextlib import closing
from hashlib import sha256, sha384
from typing import Any
from uuid import UUID

import jwt
import pytest

from conflicto.access.identity import load_identity
from conflicto.access.links import legacy_link_id
from conflicto.access.roles import Role
from conflicto.platform.db.engine import Database
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted, refused

CLAIMS = ("iss", "aud", "sub", "sid", "role", "ver", "jti", "iat", "exp")
GONE = object()
"""Marker of a member to omit."""


def coded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Forger:
    """A valid host token, taken apart to build changed ones."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.key = event.api.app.platform.identity.signing_key
        self.head = jwt.get_unverified_header(event.host)
        self.claims = jwt.decode(event.host, options={"verify_signature": False})

    def token(self, head: Any = None, claims: Any = None, key: bytes | None = None, digest: Any = sha256) -> str:
        parts = [changed(self.head, head), changed(self.claims, claims)]
        signed = ".".join(part if isinstance(part, str) else coded(json.dumps(part).encode()) for part in parts)
        signature = hmac.new(self.key if key is None else key, signed.encode(), digest).digest() if digest else b""
        return f"{signed}.{coded(signature)}"


def changed(members: dict[str, Any], changes: Any) -> Any:
    if isinstance(changes, str):
        return changes
    return {name: value for name, value in (members | (changes or {})).items() if value is not GONE}


@pytest.fixture
async def forger(api: Api) -> Forger:
    return Forger(await make_event(api))


async def refuses(forger: Forger, token: str) -> None:
    for path in (forger.event.path, f"{forger.event.path}/status"):
        problem = refused(await forger.event.api.get(path, token=token), 401, "token-invalid")
        assert problem["detail"] == problem["title"]


async def test_a_forger_with_our_key_is_believed_so_the_refusals_below_mean_something(forger: Forger) -> None:
    screen = jwt.decode(forger.event.screen, options={"verify_signature": False})
    for token in (
        forger.token(),
        forger.token(claims={"iat": forger.claims["iat"] - 1}),
        forger.token(claims={"role": "screen", "jti": screen["jti"]}, head={"typ": "screen+jwt"}),
        forger.token(claims={"jti": "other", "end": GONE}),
    ):
        accepted(await forger.event.api.get(forger.event.path, token=token))


async def test_a_link_that_is_not_there_or_of_another_role_or_session_is_dead(api: Api, forger: Forger) -> None:
    other = Forger(await make_event(api))
    for claims, role in (
        ({"jti": "other"}, "host"),
        ({"jti": str(UUID(int=5))}, "host"),
        ({"jti": str(legacy_link_id(Role.HOST, other.event.id))}, "host"),
        ({"jti": other.claims["jti"]}, "host"),
        ({"role": "screen"}, "screen"),
    ):
        await refuses(forger, forger.token(claims=claims, head={"typ": f"{role}+jwt"}))


HEADERS = [
    ({"alg": "none"}, None), ({"alg": "none"}, sha256), ({"alg": "NonE"}, None), ({"alg": "HS384"}, sha384), ({"alg": "HS512"}, sha256),
    ({"alg": "RS256"}, sha256), ({"alg": "hs256"}, sha256), ({"alg": GONE}, sha256), ({"alg": ["HS256"]}, sha256),
    ({"typ": "JWT"}, sha256), ({"typ": GONE}, sha256), ({"typ": "participant+jwt"}, sha256), ({"typ": "HOST+JWT"}, sha256),
    ({"kid": GONE}, sha256), ({"kid": "0" * 12}, sha256), ({"kid": "../../../dev/null"}, sha256), ({"kid": "' OR 1=1 --"}, sha256),
    ({"kid": 7}, sha256), ({"crit": ["x"], "x": 1}, sha256), ("W10", sha256), ("bnVsbA", sha256), ("{}", sha256),
]  # fmt: skip


@pytest.mark.catalogue("A-08")
async def test_a_header_that_is_not_ours_is_refused(forger: Forger) -> None:
    for head, digest in HEADERS:
        await refuses(forger, forger.token(head=head, digest=digest))


@pytest.mark.catalogue("A-09")
async def test_every_claim_must_be_there_and_be_itself(forger: Forger) -> None:
    for name in CLAIMS:
        await refuses_others(forger, name)


async def refuses_others(forger: Forger, name: str) -> None:
    for value in (GONE, None, [], {}, "x" if name in {"sid", "ver", "iat", "exp"} else 7, True, float("inf")):
        await refuses(forger, forger.token(claims={name: value}))
    own = forger.claims[name]
    if isinstance(own, int):
        for value in (str(own), float(own)):
            await refuses(forger, forger.token(claims={name: value}))


WRONG_CLAIMS = [
    {"role": "admin"}, {"role": "Host"}, {"role": "participant"}, {"aud": "other"}, {"iss": "other"}, {"ver": 0}, {"ver": 2},
    {"exp": 1}, {"sid": 7}, "W10", "bnVsbA", coded(b"[" * 50_000), coded(b'{"exp":' + b"9" * 5000 + b"}"),
]  # fmt: skip


@pytest.mark.in_process
@pytest.mark.catalogue("A-09", "J-07")
async def test_claims_with_other_values_are_refused(forger: Forger) -> None:
    for claims in WRONG_CLAIMS:
        await refuses(forger, forger.token(claims=claims))


@pytest.mark.catalogue("A-08")
async def test_another_key_another_signature_and_other_parts_are_refused(forger: Forger) -> None:
    head, payload, signature = forger.event.host.split(".")
    screen = forger.event.screen.split(".")
    await refuses(forger, forger.token(key=b"x" * 32))
    await refuses(forger, forger.token(key=b"", head={"jwk": {"kty": "oct", "k": coded(b"x" * 32)}}))
    await refuses(forger, forger.token(key=b"x" * 32, head={"jku": "http://127.0.0.1/keys", "x5u": "http://127.0.0.1/cert"}))
    for parts in (
        (screen[0], payload, signature), (head, screen[1], signature), (head, payload, screen[2]), (head, payload, ""),
        (head, payload, signature[:-2]), (head, payload), ("", "", ""), (head, payload, signature, signature), (head, "", signature),
    ):  # fmt: skip
        await refuses(forger, ".".join(parts))
    await refuses(forger, forger.event.host + "." + "x" * 4000)
    await refuses(forger, forger.event.host.replace("e", "=", 1))


@pytest.mark.catalogue("A-09")
async def test_the_padded_twin_is_the_same_token_and_dies_with_it(forger: Forger) -> None:
    event = forger.event
    anna = await event.join()
    twins = [token + "=" for token in (event.host, event.screen, anna.token)]
    before = [(await event.api.get(f"{event.path}/status", token=twin)).status_code for twin in twins]
    assert set(before) <= {200, 401}

    accepted(await event.api.delete(f"/participants/{anna.id}", token=event.host), 204)
    accepted(await event.api.delete(f"{event.path}/tokens", token=event.host))
    for twin in twins:
        await refuses(forger, twin)


async def test_a_token_of_one_session_opens_no_other(forger: Forger) -> None:
    other = await make_event(forger.event.api)
    for token in (forger.event.host, forger.event.screen, (await forger.event.join()).token):
        refused(await forger.event.api.get(f"{other.path}/status", token=token), 404, "not-found")


@pytest.mark.catalogue("A-08")
def test_the_server_refuses_to_start_with_a_short_key(settings: Settings) -> None:
    with closing(Database(settings.url)) as db, pytest.raises(ValueError, match="at least 32"):
        load_identity(db, data_dir=settings.data_dir, secret_key="x" * 31, admin_token=None)
