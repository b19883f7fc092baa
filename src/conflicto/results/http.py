"""Endpoints of results and leaderboard, which every phone and screen polls, and of own points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.roles import MEMBERS, PARTICIPANTS
from conflicto.feed.errors import TooManyStreams
from conflicto.feed.http import POLL, POLLED, STREAMED
from conflicto.feed.streams import EVENT_STREAM
from conflicto.participants.errors import SeatGone
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.problems import InvalidInput
from conflicto.results import schemas
from conflicto.results.errors import ResultsHidden
from conflicto.results.event_source import ResultsEventSource
from conflicto.sessions.http import CONTROL

if TYPE_CHECKING:
    from conflicto.feed.long_poll import LongPoll
    from conflicto.feed.streams import StreamRegistry
    from conflicto.platform.http.messages import Request, Response
    from conflicto.results.leaderboard_handler import LeaderboardHandler
    from conflicto.results.own_participant import OwnParticipant
    from conflicto.results.results_handler import ResultsHandler


@dataclass(frozen=True, slots=True)
class ResultsEndpoints:
    """Results of an activity and the leaderboard of a session, with long-poll on request."""

    handler: ResultsHandler
    leaderboard_handler: LeaderboardHandler
    long_poll: LongPoll
    streams: StreamRegistry

    async def results(self, request: Request) -> Response:
        """Return the results of an activity, or stream them after each change.

        A stream sends complete results, with their ETag as event id. It is 204 if the caller has
        the final results.
        """
        if request.accepts(EVENT_STREAM):
            known = (request.header(b"last-event-id") or "").encode("latin-1")
            return await self.streams.follow(request, ResultsEventSource(self.handler, request, known))
        return await self.long_poll.respond(request, self.handler.results)

    async def leaderboard(self, request: Request) -> Response:
        """Return the participants with most points."""
        return await self.long_poll.respond(request, self.leaderboard_handler.leaderboard)


def routes(results: ResultsEndpoints, own: OwnParticipant) -> list[Route]:
    """Return the routes of this package."""
    return [
        route("GET", "/sessions/{session_id:int}/activities/{activity_id:uuid}/results", results.results, roles=MEMBERS, policy=POLL,
              tag="polling",
              docs=Docs(summary="Read the results of an activity", responses={200: schemas.ResultsOut, 204: None, 304: None},
                        query=schemas.ResultsQuery, headers=STREAMED, events=schemas.RESULTS_EVENT_EXAMPLE,
                        problems=(InvalidInput, ResultsHidden, TooManyStreams))),
        route("GET", "/sessions/{session_id:int}/leaderboard", results.leaderboard, roles=MEMBERS, policy=POLL, tag="polling",
              docs=Docs(summary="Read the leaderboard", responses={200: schemas.LeaderboardOut, 304: None}, query=schemas.LeaderboardQuery,
                        headers=POLLED, problems=(InvalidInput,))),
        route("GET", "/participants/me", own.read, cancels=True, roles=PARTICIPANTS, policy=CONTROL, tag="participants",
              docs=Docs(summary="Read one's own seat, points and responses", responses={200: schemas.MeOut}, problems=(SeatGone,))),
    ]  # fmt: skip
