"""Endpoints that every phone and screen polls: status, feed and streams.

They read from memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.roles import MEMBERS
from conflicto.access.tokens import TICKET_LIFETIME_S
from conflicto.feed import schemas
from conflicto.feed.errors import CursorExpired, TooManyStreams
from conflicto.feed.pages import CursorInFuture
from conflicto.feed.streams import EVENT_STREAM
from conflicto.feed.timestamps import InvalidTimestamp
from conflicto.platform.http.messages import json_response
from conflicto.platform.http.routes import Docs, Route, route
from conflicto.platform.instants import US_PER_S, rfc3339
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import InvalidInput
from conflicto.responses.errors import ResponsesHidden

if TYPE_CHECKING:
    from conflicto.feed.long_poll import LongPoll
    from conflicto.feed.poll_handler import PollHandler
    from conflicto.feed.streams import StreamRegistry
    from conflicto.platform.clock import Clock
    from conflicto.platform.http.messages import Request, Response
    from conflicto.session_state.authentication import TokenAuthenticator

POLL = Policy("poll", 600, 60)
"""A phone polls two or three paths every 2 s. Ten requests a second allow several tabs and a burst
after sleep.
"""


@dataclass(frozen=True, slots=True)
class FeedEndpoints:
    """Status and feed of sessions and activities, with long-poll on request."""

    polls: PollHandler
    long_poll: LongPoll
    streams: StreamRegistry
    authenticator: TokenAuthenticator
    clock: Clock

    async def session_status(self, request: Request) -> Response:
        """Return the session's status."""
        return await self.long_poll.respond(request, self.polls.session_status)

    async def activity_status(self, request: Request) -> Response:
        """Return an activity's status."""
        return await self.long_poll.respond(request, self.polls.activity_status)

    async def responses_since(self, request: Request) -> Response:
        """Return responses created or changed after a position, or stream them from there."""
        try:
            if request.accepts(EVENT_STREAM):
                return await self.streams.responses(request, request.params["timestamp"])
            return await self.long_poll.respond(request, self.polls.responses)
        except CursorExpired as error:
            raise _with_start_path(error, request) from error

    async def changes_since(self, request: Request) -> Response:
        """Return changes of the session after a position, or stream them from there.

        The caller's role decides which changes are visible.
        """
        try:
            if request.accepts(EVENT_STREAM):
                return await self.streams.changes(request, request.params["timestamp"])
            return await self.long_poll.respond(request, self.polls.changes)
        except CursorExpired as error:
            raise _with_start_path(error, request) from error

    async def time(self, request: Request) -> Response:
        """Return the server's time.

        Polled bodies contain no clock, and a page must not count down by its own.
        """
        return json_response({"server_time": rfc3339(self.clock.wall_us())})

    async def events(self, request: Request) -> Response:
        """Stream changes of the session: one event per item of `changes`, with its cursor as id.

        The stream begins after `Last-Event-ID`, else after `since`, else now. An event named
        `bookmark` contains a cursor and no change.

        The server ends the stream after some minutes. A client that continues from the last id
        misses nothing.
        """
        try:
            return await self.streams.changes(request, request.query("since") or "now")
        except CursorExpired as error:
            raise _with_start_path(error, request) from error

    async def ticket(self, request: Request) -> Response:
        """Return a ticket that opens the stream once within a minute.

        Browsers cannot send a token there.
        """
        ticket = await self.authenticator.create_ticket(request.caller, request.params["session_id"])
        expires_us = self.clock.wall_us() + TICKET_LIFETIME_S * US_PER_S
        return json_response({"ticket": ticket, "expires_at": rfc3339(expires_us)}, status=201)


def _with_start_path(error: CursorExpired, request: Request) -> CursorExpired:
    """Return the error with the path of the feed's beginning."""
    path = request.route.path.format_map({**request.params, "timestamp": "0"})
    return CursorExpired(error.detail, start=path if "timestamp" in request.params else f"{path}?since=0")


CLOCK = Policy("clock", 120, 60, shared=True)
"""A page asks for the time when it opens, when it wakes, and after a change of its own clock."""

STREAM = Policy("stream", 60, 60, shared=True)
"""A browser opens one or two streams and reopens them when they end. A phone on bad Wi-Fi does so
every few seconds.
"""

POLLED = ("If-None-Match", "Prefer")
"""Headers that every polled path accepts."""

STREAMED = (*POLLED, "Last-Event-ID")


def routes(feed: FeedEndpoints) -> list[Route]:
    """Return the routes of this package."""
    activity = "/sessions/{session_id:int}/activities/{activity_id:uuid}"
    refused = (InvalidTimestamp, CursorInFuture, CursorExpired, InvalidInput)
    return [
        route("GET", "/sessions/{session_id:int}/status", feed.session_status, roles=MEMBERS, policy=POLL, tag="polling",
              docs=Docs(summary="Read the status of a session", responses={200: schemas.SessionStatusOut, 304: None},
                        query=schemas.WaitQuery,
                        headers=POLLED, problems=(InvalidInput,))),
        route("POST", "/sessions/{session_id:int}/clock", feed.time, roles=MEMBERS, policy=CLOCK, tag="polling",
              docs=Docs(summary="Read the server's time", responses={200: schemas.ClockOut})),
        route("GET", activity + "/status", feed.activity_status, roles=MEMBERS, policy=POLL, tag="polling",
              docs=Docs(summary="Read the status of an activity", responses={200: schemas.ActivityStatusOut, 304: None},
                        query=schemas.WaitQuery,
                        headers=POLLED, problems=(InvalidInput,))),
        route("GET", activity + "/responses/since/{timestamp}", feed.responses_since, roles=MEMBERS, policy=POLL, tag="polling",
              docs=Docs(summary="Read answers after a position", responses={200: schemas.ResponseFeedOut, 204: None, 304: None},
                        query=schemas.FeedQuery, headers=STREAMED, events=schemas.EVENT_EXAMPLE,
                        problems=(*refused, ResponsesHidden, TooManyStreams))),
        route("GET", "/sessions/{session_id:int}/changes/since/{timestamp}", feed.changes_since, roles=MEMBERS, policy=POLL, tag="polling",
              docs=Docs(summary="Read changes after a position", responses={200: schemas.ChangeFeedOut, 204: None, 304: None},
                        query=schemas.FeedQuery, headers=STREAMED, events=schemas.EVENT_EXAMPLE, problems=(*refused, TooManyStreams))),
        route("POST", "/sessions/{session_id:int}/events/ticket", feed.ticket, roles=MEMBERS, policy=STREAM, tag="polling",
              docs=Docs(summary="Create a ticket for the stream", responses={201: schemas.TicketOut})),
        route("GET", "/sessions/{session_id:int}/events", feed.events, roles=MEMBERS, policy=STREAM, tag="polling", takes_ticket=True,
              streams=True,
              docs=Docs(summary="Stream changes as Server-Sent Events", responses={200: None, 204: None}, query=schemas.EventsQuery,
                        headers=("Last-Event-ID",), events=schemas.EVENT_EXAMPLE,
                        problems=(InvalidTimestamp, CursorInFuture, CursorExpired, TooManyStreams))),
    ]  # fmt: skip
