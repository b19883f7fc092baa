"""Endpoints of joining. All phones join at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from conflicto.access.code_guard import GUESS_POLICIES, CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.access.link_keys import link_key_of
from conflicto.access.roles import ANYONE, HOSTS, Role
from conflicto.access.tokens import Tokens
from conflicto.joining import schemas
from conflicto.joining.commands import JoinRequest, Seat, join_many
from conflicto.joining.queries import reserved_places
from conflicto.participants import errors
from conflicto.participants.commands.seats import redeem_seat
from conflicto.participants.model import Participant
from conflicto.participants.nickname import Nickname, NicknameInvalid, allowed_suggestions, clean_nickname, suggestions
from conflicto.participants.queries import participant_page, session_of_link, sessions_to_join, taken_keys
from conflicto.participants.schemas import participant_out
from conflicto.platform.clock import Clock
from conflicto.platform.db.batched_read import BatchedRead
from conflicto.platform.db.batches import SharedBatch
from conflicto.platform.db.engine import Database
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.binding import decode_body
from conflicto.platform.http.messages import Request, Response, json_response
from conflicto.platform.http.paging import PageQuery, after_key, page_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.instants import US_PER_S, rfc3339
from conflicto.platform.limits.bucket import LimitScope, Policy
from conflicto.platform.problems import InvalidInput
from conflicto.platform.strict_json import RESPONSE_LIMITS
from conflicto.session_state.join_code_cache import JoinCodeCache
from conflicto.session_state.presence import Presence
from conflicto.session_state.session_cache import SessionCache
from conflicto.sessions.errors import CodeUnknown, IdempotencyKeyInvalid, KeyReused, StorageFull
from conflicto.sessions.http import CONTROL
from conflicto.sessions.idempotency.store import Key, is_known, key_from
from conflicto.sessions.model import Session, normalize_code
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.schemas import session_out

JOIN = Policy("join", 30_000, 60, scope=LimitScope.SERVER, shared=True)
"""Rate limit of joins on the whole server: a large hall at once, then 500 a second.

Joins are not limited per address.
"""

NICKNAME_CHECKS = Policy("nickname-checks", 12_000, 60, scope=LimitScope.SERVER)
"""Rate limit of nickname checks: each reads the database, so 200 a second."""

MAX_JOIN_WAIT_S = 6.0
"""Wait limit in the writer's queue.

It exceeds that of answers, which phones keep and send again.
"""

MIN_JOIN_KEY_CHARS = 16
"""Minimum length of a join's idempotency key, which grants a seat and so must be unguessable."""


LOOKUP = Policy("lookup", 60_000, 60, scope=LimitScope.SERVER)
"""A lookup needs no token: a crowd of thousands at once, and a thousand a second continuously."""


@dataclass(frozen=True, slots=True)
class JoinEndpoints:
    """Endpoints that look up codes and names, and assign seats: by code and name, or by a link.

    `retention_days` is 0 if the server deletes nothing by age.
    """

    db: Database
    writer: Writer
    tokens: Tokens
    guard: CodeGuard
    clock: Clock
    codes: JoinCodeCache
    retention_days: int
    sessions: BatchedRead[tuple[str, Key | None], int] = field(init=False)

    def __post_init__(self) -> None:
        """Create the batched look-up that concurrent joins share, and share the batch of joins."""
        self.writer.batches.register(
            SharedBatch("join", join_many, item=JoinRequest, keys=tuple[tuple[int, str] | bytes, ...], value=Seat)
        )
        object.__setattr__(self, "sessions", BatchedRead(self.db, sessions_to_join))

    async def join(self, request: Request, body: schemas.JoinIn) -> Response:
        """Join a session; the same key returns the same seat."""
        nickname = clean_nickname(body.nickname)
        code = normalize_code(body.code) or ""
        key = _key(request, code)
        repeats = partial(self.is_replay, request) if key else None
        guarded = self.guard.guard(request.address, code, wrong=CodeUnknown, link_key=link_key_of(request), repeats=repeats)
        async with guarded:
            session_id: int = request.params.get("session_id", 0) or await self.sessions.read((body.code, key))
            joining_request = JoinRequest(session_id, code, nickname, key)
            keys = ((session_id, nickname.key), *((key.id,) if key else ()))
            seat: Seat = await self.writer.submit(
                session_id, join_many, joining_request, keys, max_wait_s=MAX_JOIN_WAIT_S, is_repeatable=key is not None
            )
        return self._seat_response(
            seat.participant, session_out(seat.session, Role.PARTICIPANT, self.tokens.link_keys), seat.status
        )

    async def by_code(self, request: Request) -> Response:
        """Return the public properties of the session with a join code."""
        meant = normalize_code(request.params["code"]) or ""
        async with self.guard.guard(request.address, meant, wrong=CodeUnknown, link_key=link_key_of(request)):
            session = await self.codes.find(request.params["code"])
        return json_response({"session_id": session.id, "title": session.title, "status": session.status})

    async def is_replay(self, request: Request) -> bool:
        """Return whether a seat was taken with the request's key before."""
        code = normalize_code(decode_body(schemas.JoinIn, request.body).code) or ""
        return await self.db.read(is_known, _key(request, code))

    async def try_nickname(self, request: Request, query: schemas.NicknameQuery) -> Response:
        """Check whether a name is free, and suggest one."""
        nickname = clean_nickname(query.nickname)
        code = normalize_code(query.code) or ""
        async with self.guard.guard(request.address, code, wrong=CodeUnknown, link_key=link_key_of(request)):
            session = await self.codes.find(query.code)
            if session.id != request.params["session_id"]:
                raise CodeUnknown
            free, suggested = await self.db.read(_check_nickname, session, nickname)
        return json_response({"available": free, "suggested_nickname": nickname.text if free else suggested})

    async def redeem(self, request: Request, body: schemas.RedeemIn) -> Response:
        """Move a seat to this phone."""
        async with self.guard.guard(request.address, body.seat_token, wrong=errors.SeatLinkInvalid):
            session_id = await self.db.read(session_of_link, body.seat_token)
            participant = await self.writer.run(session_id, redeem_seat, body.seat_token)
        session = await self.db.read(session_by_id, session_id)
        return self._seat_response(participant, session_out(session, Role.PARTICIPANT, self.tokens.link_keys), 200)

    def _seat_response(self, participant: Participant, session: dict[str, Any], status: int) -> Response:
        token = self.tokens.mint(
            Role.PARTICIPANT, participant.session_id, version=participant.token_version, subject=str(participant.id),
            end_s=self.tokens.absolute_end_s(participant.created_ts // US_PER_S),
        )  # fmt: skip
        body = {"participant_id": participant.id, "nickname": participant.nickname, "participant_token": token, "session": session}
        server_fields = {
            "retention_days": self.retention_days or None,
            "server": self.tokens.issuer,
            "server_time": rfc3339(self.clock.wall_us()),
        }
        return json_response(body | server_fields, status=status)


@dataclass(frozen=True, slots=True)
class ParticipantList:
    """Endpoint of the host's list of participants.

    It loads the session into memory, from which presence reads.
    """

    db: Database
    sessions: SessionCache
    presence: Presence

    async def page(self, request: Request, session_id: int, query: PageQuery) -> Response:
        """List participants in joining order, with presence."""
        (after,) = after_key(request, query, int) or (0,)
        found, total = await self.db.lists.read(participant_page, session_id, limit=query.limit, offset=query.offset, after=after)
        await self.sessions.find(session_id)
        published_us = self.presence.published_us(session_id)
        reserved = await self.db.read(reserved_places, session_id)
        return page_response(
            request, query, found, total, show=lambda each: self._list_item(each, published_us), key=lambda each: (each.created_ts,),
            places_held=len(reserved.counted),
        )  # fmt: skip

    def _list_item(self, participant: Participant, published_us: int) -> dict[str, Any]:
        return participant_out(participant) | {"presence": self.presence.state(participant, published_us)}


def _key(request: Request, code: str) -> Key | None:
    header = request.header(b"idempotency-key")
    return key_from(header, subject=f"join:{code}", route="join", body=request.body, shortest=MIN_JOIN_KEY_CHARS)


def _check_nickname(tx: ReadTx, session: Session, nickname: Nickname) -> tuple[bool, str]:
    def is_taken(key: str) -> bool:
        return bool(taken_keys(tx, session.id, [key]))

    if session.word_filter.refuses(nickname.text):
        free = allowed_suggestions(nickname, session.word_filter, is_taken, 1)
    elif not is_taken(nickname.key):
        return True, nickname.text
    else:
        free = suggestions(nickname, is_taken, 1)
    return False, free[0] if free else ""


def routes(joins: JoinEndpoints, participants: ParticipantList) -> list[Route]:
    """Return the routes of this package."""
    joining: dict[str, Any] = {
        "roles": ANYONE, "body": RESPONSE_LIMITS, "tag": "joining", "guesses": GUESS_POLICIES, "replays": joins.is_replay,
        "docs": Docs(
            summary="Join a session", responses={201: schemas.SeatOut}, headers=("Idempotency-Key", "Link-Key"),
            min_key_chars=MIN_JOIN_KEY_CHARS,
            problems=(CodeUnknown, NicknameInvalid, errors.NicknameRefused, errors.NicknameTaken, errors.SessionFull,
                      errors.SessionLocked, StorageFull, errors.SeatGone, KeyReused, IdempotencyKeyInvalid, TooManyGuesses, InvalidInput),
        ),
    }  # fmt: skip
    return [
        route("GET", "/sessions/by-code/{code}", joins.by_code, roles=ANYONE, policy=LOOKUP, guesses=GUESS_POLICIES, tag="joining",
              docs=Docs(summary="Look up a session by its join code", responses={200: schemas.LobbyOut}, headers=("Link-Key",),
                        problems=(CodeUnknown, TooManyGuesses))),
        route("POST", "/sessions/{session_id:int}/join", joins.join, policy=JOIN, **joining),
        route("POST", "/join", joins.join, policy=JOIN, **joining),
        route("GET", "/sessions/{session_id:int}/nicknames/validate", joins.try_nickname, roles=ANYONE, policy=NICKNAME_CHECKS,
              guesses=GUESS_POLICIES, tag="joining",
              docs=Docs(summary="Check whether a nickname is free", responses={200: schemas.NicknameOut},
                        headers=("Link-Key",), problems=(CodeUnknown, NicknameInvalid, TooManyGuesses, InvalidInput))),
        route("GET", "/sessions/{session_id:int}/participants", participants.page, cancels=True, roles=HOSTS, policy=CONTROL,
              tag="participants", docs=Docs(summary="List participants", responses={200: schemas.ParticipantPage})),
        route("POST", "/seats/redeem", joins.redeem, roles=ANYONE, policy=JOIN, guesses=GUESS_POLICIES, body=RESPONSE_LIMITS,
              tag="joining",
              docs=Docs(summary="Redeem a seat link", responses={200: schemas.SeatOut},
                        problems=(errors.SeatLinkInvalid, TooManyGuesses))),
    ]  # fmt: skip
