"""Endpoints of taken seats. All phones send heartbeats at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from conflicto.access.receipts import RESPONSE_HEADERS, Receipts, run_with_deletion, run_with_deletion_for_author
from conflicto.access.roles import HOSTS_AND_PARTICIPANTS, HOSTS_AND_SCREENS, PARTICIPANTS, Role
from conflicto.participants import errors, schemas
from conflicto.participants.commands.seats import link_seat, remove, rename
from conflicto.participants.model import Participant
from conflicto.participants.nickname import NicknameInvalid, clean_nickname
from conflicto.participants.queries import participant_by_id, shown_names
from conflicto.platform.clock import Clock
from conflicto.platform.db.engine import Database
from conflicto.platform.db.transaction import ReadTx
from conflicto.platform.db.writer import Writer
from conflicto.platform.http.messages import NO_STORE, Request, Response, json_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.ids import opaque_secret
from conflicto.platform.instants import rfc3339
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import NotFound
from conflicto.platform.strict_json import RESPONSE_LIMITS
from conflicto.sessions.errors import SessionCompleted
from conflicto.sessions.http import CONTROL
from conflicto.sessions.queries import session_by_id

PARTICIPANT = Policy("participant", 120, 60, shared=True)
"""Rate limit of requests about the caller's own seat: two a second, far above a phone's need."""


@dataclass(frozen=True, slots=True)
class SeatEndpoints:
    """Endpoints of taken seats: the caller's own, and those that a host manages."""

    db: Database
    writer: Writer
    clock: Clock
    receipts: Receipts

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


@contextmanager
def _seat_gone_if_missing() -> Iterator[None]:
    """Raise `SeatGone` if the caller's seat was removed while the request was running."""
    try:
        yield
    except NotFound as error:
        raise errors.SeatGone from error


def _participant_in(tx: ReadTx, participant_id: int, session_id: int | None) -> Participant:
    participant = participant_by_id(tx, participant_id, session_id=session_id)
    session_by_id(tx, participant.session_id)
    return participant


def routes(seats: SeatEndpoints) -> list[Route]:
    """Return the routes of this package.

    `GET /participants/me` is in `results`, as it shows points. The list is in `joining`.
    """
    nickname_problems = (NicknameInvalid, errors.NicknameRefused, errors.NicknameTaken, SessionCompleted)
    own_seat: dict[int, Any] = {200: schemas.ParticipantOut}
    return [
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
        route("POST", "/participants/{participant_id:int}/heartbeat", seats.heartbeat, roles=PARTICIPANTS, policy=PARTICIPANT,
              tag="participants",
              docs=Docs(summary="Send a heartbeat", responses={200: schemas.HeartbeatOut}, problems=(NotFound,))),
        route("PATCH", "/participants/{participant_id:int}", seats.rename, roles=HOSTS_AND_PARTICIPANTS, policy=CONTROL,
              body=RESPONSE_LIMITS, tag="participants",
              docs=Docs(summary="Rename a participant", responses=own_seat, problems=nickname_problems)),
        route("DELETE", "/participants/{participant_id:int}", seats.kick, roles=HOSTS_AND_PARTICIPANTS, policy=CONTROL, tag="participants",
              docs=Docs(summary="Remove a participant", responses={204: None}, response_headers=RESPONSE_HEADERS)),
    ]  # fmt: skip
