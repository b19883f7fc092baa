"""Endpoints of seats. All phones join and send heartbeats at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from conflicto.access.code_guard import GUESS_POLICIES, CodeGuard
from conflicto.access.errors import TooManyGuesses
from conflicto.access.link_keys import link_key_of
from conflicto.access.receipts import RESPONSE_HEADERS, Receipts, run_with_deletion, run_with_deletion_for_author
from conflicto.access.roles import ANYONE, HOSTS, HOSTS_AND_PARTICIPANTS, HOSTS_AND_SCREENS, PARTICIPANTS, Role
from conflicto.access.tokens import Tokens
from conflicto.participants import errors, schemas
from conflicto.participants.commands.join import JoinRequest, Seat, join_many
from conflicto.participants.commands.seats import link_seat, redeem_seat, remove, rename
from conflicto.participants.model import Participant, ReservedPlaces
from conflicto.participants.nickname import Nickname, NicknameInvalid, allowed_suggestions, clean_nickname, suggestions
from conflicto.participants.presence import Presence
from conflicto.participants.queries import participant_by_id, participant_page, session_of_link, sessions_to_join, shown_names
from conflicto.participants.store import taken_keys
from conflicto.platform.clock import Clock
from conflicto.platform.db.batched_read import BatchedRead
from conflicto.platform.db.engine import Database
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.binding import decode_body
from conflicto.platform.http.messages import NO_STORE, Request, Response, json_response
from conflicto.platform.http.paging import PageQuery, after_key, page_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.ids import opaque_secret
from conflicto.platform.instants import US_PER_S, rfc3339
from conflicto.platform.limits.bucket import LimitScope, Policy
from conflicto.platform.problems import InvalidInput, NotFound
from conflicto.platform.strict_json import RESPONSE_LIMITS
from conflicto.sessions.errors import CodeUnknown, IdempotencyKeyInvalid, KeyReused, SessionCompleted, StorageFull
from conflicto.sessions.http import CONTROL, SessionLookup
from conflicto.sessions.idempotency.store import Key, is_known, key_from
from conflicto.sessions.model import Session, normalize_code
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.schemas import session_out

PARTICIPANT = Policy("participant", 120, 60, shared=True)
"""Rate limit of requests about the caller's own seat: two a second, far above a phone's need."""

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


@dataclass(frozen=True, slots=True)
class JoinEndpoints:
    """Endpoints that assign seats: by code and name, or by a link.

    `retention_days` is 0 if the server deletes nothing by age.
    """

    db: Database
    writer: Writer
    tokens: Tokens
    guard: CodeGuard
    clock: Clock
    lookup: SessionLookup
    retention_days: int
    places: Callable[[ReadTx, int], ReservedPlaces]
    sessions: BatchedRead[tuple[str, Key | None], int] = field(init=False)

    def __post_init__(self) -> None:
        """Create the batched look-up that concurrent joins share."""
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
            joining = _join_command(self.places)
            seat: Seat = await self.writer.submit(session_id, joining, joining_request, keys, max_wait_s=MAX_JOIN_WAIT_S)
        return self._seat_response(
            seat.participant, session_out(seat.session, Role.PARTICIPANT, self.tokens.link_keys), seat.status
        )

    async def is_replay(self, request: Request) -> bool:
        """Return whether a seat was taken with the request's key before."""
        code = normalize_code(decode_body(schemas.JoinIn, request.body).code) or ""
        return await self.db.read(is_known, _key(request, code))

    async def try_nickname(self, request: Request, query: schemas.NicknameQuery) -> Response:
        """Check whether a name is free, and suggest one."""
        nickname = clean_nickname(query.nickname)
        code = normalize_code(query.code) or ""
        async with self.guard.guard(request.address, code, wrong=CodeUnknown, link_key=link_key_of(request)):
            session = await self.lookup.find(query.code)
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
class SeatEndpoints:
    """Endpoints of taken seats: the caller's own, and the host's list.

    `load_session` loads a session into memory, from which presence reads. `places` reads the
    reserved places.
    """

    db: Database
    writer: Writer
    presence: Presence
    clock: Clock
    load_session: Callable[[int], Awaitable[object]]
    receipts: Receipts
    places: Callable[[ReadTx, int], ReservedPlaces]

    async def page(self, request: Request, session_id: int, query: PageQuery) -> Response:
        """List participants in joining order, with presence."""
        (after,) = after_key(request, query, int) or (0,)
        found, total = await self.db.lists.read(participant_page, session_id, limit=query.limit, offset=query.offset, after=after)
        await self.load_session(session_id)
        published_us = self.presence.published_us(session_id)
        reserved = await self.db.read(self.places, session_id)
        return page_response(
            request, query, found, total, show=lambda each: self._list_item(each, published_us), key=lambda each: (each.created_ts,),
            places_held=len(reserved.counted),
        )  # fmt: skip

    async def names(self, request: Request, session_id: int) -> Response:
        """List the names for the screen, newest first, with offensive words masked."""
        return json_response({"items": await self.db.read(shown_names, session_id, for_host=request.caller.is_host)})

    async def heartbeat(self, request: Request) -> Response:
        """Return the server's time; the request itself counts as a sign of life."""
        return json_response({"server_time": rfc3339(self.clock.wall_us())})

    async def rename_me(self, request: Request, body: schemas.RenameIn) -> Response:
        """Change the caller's name."""
        with _seat_gone_if_missing():
            return await self._rename(request, request.caller.participant_id, body)

    async def leave(self, request: Request, query: schemas.RemoveQuery) -> Response:
        """Leave: delete name and seat and, unless they are to be kept, answers."""
        erase, own = query.responses != "keep", request.caller.participant_id
        with _seat_gone_if_missing():
            _, deletion = await self.writer.run(
                request.caller.session_id, run_with_deletion_for_author, remove, own, erase_responses=erase, forget=True
            )
        return Response(204, headers=(NO_STORE, self.receipts.header(deletion)))

    async def link(self, request: Request) -> Response:
        """Create a link that moves the seat to another phone, once."""
        secret = opaque_secret()
        with _seat_gone_if_missing():
            expires_us = await self.writer.run(request.caller.session_id, link_seat, request.caller.participant_id, secret)
        return json_response({"seat_token": secret, "expires_at": rfc3339(expires_us)}, status=201)

    async def rename(self, request: Request, participant_id: int, body: schemas.RenameIn) -> Response:
        """Rename a participant, as that participant or as host."""
        return await self._rename(request, participant_id, body)

    async def kick(self, request: Request, participant_id: int, query: schemas.RemoveQuery) -> Response:
        """Remove a participant; answers stay unless they are to be deleted."""
        session_id = await self._session_of(request, participant_id)
        erase = query.responses == "delete" or (query.responses is None and request.caller.role is Role.PARTICIPANT)
        forget = request.caller.role is Role.PARTICIPANT
        recording = run_with_deletion_for_author if forget else run_with_deletion
        _, deletion = await self.writer.run(session_id, recording, remove, participant_id, erase_responses=erase, forget=forget)
        return Response(204, headers=(NO_STORE, self.receipts.header(deletion)))

    async def _rename(self, request: Request, participant_id: int, body: schemas.RenameIn) -> Response:
        nickname = clean_nickname(body.nickname)
        session_id = await self._session_of(request, participant_id)
        by_host = request.caller.role is not Role.PARTICIPANT
        return json_response(
            schemas.participant_out(await self.writer.run(session_id, rename, participant_id, nickname, by_host=by_host))
        )

    async def _session_of(self, request: Request, participant_id: int) -> int:
        return (await self.db.read(_participant_in, participant_id, request.caller.session_id)).session_id

    def _list_item(self, participant: Participant, published_us: int) -> dict[str, Any]:
        return schemas.participant_out(participant) | {"presence": self.presence.state(participant, published_us)}


@cache
def _join_command(places: Callable[[ReadTx, int], ReservedPlaces]) -> Callable[..., Any]:
    """Return the cached join command: requests that share it share a statement."""
    return partial(join_many, places=places)


@contextmanager
def _seat_gone_if_missing() -> Iterator[None]:
    """Raise `SeatGone` if the caller's seat was removed while the request was running."""
    try:
        yield
    except NotFound as error:
        raise errors.SeatGone from error


def _key(request: Request, code: str) -> Key | None:
    header = request.header(b"idempotency-key")
    return key_from(header, subject=f"join:{code}", route="join", body=request.body, shortest=MIN_JOIN_KEY_CHARS)


def _participant_in(tx: ReadTx, participant_id: int, session_id: int | None) -> Participant:
    participant = participant_by_id(tx, participant_id, session_id=session_id)
    session_by_id(tx, participant.session_id)
    return participant


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


def routes(joins: JoinEndpoints, seats: SeatEndpoints) -> list[Route]:
    """Return the routes of this package.

    `GET /participants/me` is in `responses`, as it shows answers.
    """
    joining: dict[str, Any] = {
        "roles": ANYONE, "body": RESPONSE_LIMITS, "tag": "joining", "guesses": GUESS_POLICIES, "replays": joins.is_replay,
        "docs": Docs(
            summary="Join a session", responses={201: schemas.SeatOut}, headers=("Idempotency-Key", "Link-Key"),
            min_key_chars=MIN_JOIN_KEY_CHARS,
            problems=(CodeUnknown, NicknameInvalid, errors.NicknameRefused, errors.NicknameTaken, errors.SessionFull,
                      errors.SessionLocked, StorageFull, errors.SeatGone, KeyReused, IdempotencyKeyInvalid, TooManyGuesses, InvalidInput),
        ),
    }  # fmt: skip
    nickname_problems = (NicknameInvalid, errors.NicknameRefused, errors.NicknameTaken, SessionCompleted)
    own_seat: dict[int, Any] = {200: schemas.ParticipantOut}
    return [
        route("POST", "/sessions/{session_id:int}/join", joins.join, policy=JOIN, **joining),
        route("POST", "/join", joins.join, policy=JOIN, **joining),
        route("GET", "/sessions/{session_id:int}/nicknames/validate", joins.try_nickname, roles=ANYONE, policy=NICKNAME_CHECKS,
              guesses=GUESS_POLICIES, tag="joining",
              docs=Docs(summary="Check whether a nickname is free", responses={200: schemas.NicknameOut},
                        headers=("Link-Key",), problems=(CodeUnknown, NicknameInvalid, TooManyGuesses, InvalidInput))),
        route("GET", "/sessions/{session_id:int}/participants", seats.page, cancels=True, roles=HOSTS, policy=CONTROL, tag="participants",
              docs=Docs(summary="List participants", responses={200: schemas.ParticipantPage})),
        route("GET", "/sessions/{session_id:int}/names", seats.names, cancels=True, roles=HOSTS_AND_SCREENS, policy=CONTROL,
              tag="participants",
              docs=Docs(summary="List nicknames for the screen", responses={200: schemas.NamesOut}, problems=(errors.NamesHidden,))),
        route("PATCH", "/participants/me", seats.rename_me, roles=PARTICIPANTS, policy=PARTICIPANT, body=RESPONSE_LIMITS,
              tag="participants", docs=Docs(summary="Change the own nickname", responses=own_seat,
                                            problems=(*nickname_problems, errors.SeatGone))),
        route("DELETE", "/participants/me", seats.leave, roles=PARTICIPANTS, policy=PARTICIPANT, tag="participants",
              docs=Docs(summary="Leave the session", responses={204: None}, response_headers=RESPONSE_HEADERS,
                        problems=(errors.SeatGone,))),
        route("POST", "/participants/me/seat-link", seats.link, roles=PARTICIPANTS, policy=PARTICIPANT, tag="participants",
              docs=Docs(summary="Create a seat link", responses={201: schemas.SeatLinkOut}, problems=(errors.SeatGone,))),
        route("POST", "/seats/redeem", joins.redeem, roles=ANYONE, policy=JOIN, guesses=GUESS_POLICIES, body=RESPONSE_LIMITS,
              tag="joining",
              docs=Docs(summary="Redeem a seat link", responses={200: schemas.SeatOut},
                        problems=(errors.SeatLinkInvalid, TooManyGuesses))),
        route("POST", "/participants/{participant_id:int}/heartbeat", seats.heartbeat, roles=PARTICIPANTS, policy=PARTICIPANT,
              tag="participants",
              docs=Docs(summary="Send a heartbeat", responses={200: schemas.HeartbeatOut}, problems=(NotFound,))),
        route("PATCH", "/participants/{participant_id:int}", seats.rename, roles=HOSTS_AND_PARTICIPANTS, policy=CONTROL,
              body=RESPONSE_LIMITS, tag="participants",
              docs=Docs(summary="Rename a participant", responses=own_seat, problems=nickname_problems)),
        route("DELETE", "/participants/{participant_id:int}", seats.kick, roles=HOSTS_AND_PARTICIPANTS, policy=CONTROL, tag="participants",
              docs=Docs(summary="Remove a participant", responses={204: None}, response_headers=RESPONSE_HEADERS)),
    ]  # fmt: skip
