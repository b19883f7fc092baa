"""Endpoints of rehearsals, for hosts."""

from __future__ import annotations

from dataclasses import dataclass

from conflicto.access.roles import HOSTS
from conflicto.platform.http.messages import NO_STORE, Request, Response, json_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.strict_json import RESPONSE_LIMITS
from conflicto.rehearsal import schemas
from conflicto.rehearsal.errors import RehearsalExists, TooManyRehearsals
from conflicto.rehearsal.manager import Rehearsals
from conflicto.sessions.errors import SessionCompleted

REHEARSAL = Policy("rehearsal", 60, 60, shared=True)
"""Rate limit of rehearsals: a status every few seconds, and an occasional restart."""


@dataclass(frozen=True, slots=True)
class RehearsalEndpoints:
    """Endpoints of a session's rehearsal."""

    rehearsals: Rehearsals

    async def start(self, request: Request, session_id: int, body: schemas.RehearsalIn) -> Response:
        """Start a rehearsal: scripted participants join and answer the host's activities.

        They are marked as `scripted`, take places like anyone else, and stay until they are removed
        together with their answers.
        """
        await self.rehearsals.start(session_id, bots=body.participants, seconds=body.seconds, language=body.language)
        return await self._status_response(session_id, 201)

    async def read(self, request: Request, session_id: int) -> Response:
        """Return the number of scripted participants, and whether they still answer."""
        return await self._status_response(session_id, 200)

    async def stop(self, request: Request, session_id: int) -> Response:
        """Remove all scripted participants and their answers."""
        await self.rehearsals.stop(session_id)
        return Response(204, headers=(NO_STORE,))

    async def _status_response(self, session_id: int, status: int) -> Response:
        bots, is_running, skipped = await self.rehearsals.status(session_id)
        return json_response({"participants": bots, "is_playing": is_running, "skipped": list(map(str, skipped))}, status=status)


def routes(endpoints: RehearsalEndpoints) -> list[Route]:
    """Return the routes of this package."""
    path = "/sessions/{session_id:int}/rehearsal"
    return [
        route("POST", path, endpoints.start, roles=HOSTS, policy=REHEARSAL, body=RESPONSE_LIMITS, tag="sessions",
              docs=Docs(summary="Start a rehearsal", responses={201: schemas.RehearsalOut},
                        problems=(RehearsalExists, TooManyRehearsals, SessionCompleted))),
        route("GET", path, endpoints.read, cancels=True, roles=HOSTS, policy=REHEARSAL, tag="sessions",
              docs=Docs(summary="Read the status of a rehearsal", responses={200: schemas.RehearsalOut})),
        route("DELETE", path, endpoints.stop, roles=HOSTS, policy=REHEARSAL, tag="sessions",
              docs=Docs(summary="Remove a rehearsal with all its answers", responses={204: None})),
    ]  # fmt: skip
