"""The endpoints that every phone and screen asks all the time: status and feed, on the data plane, answered from memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.roles import MEMBERS
from conflicto.feed import schemas, status
from conflicto.feed.changes import read_changes
from conflicto.feed.pages import CursorInFuture, Page, made_page, read_responses
from conflicto.feed.schemas import DEFAULT_LIMIT, LARGEST_LIMIT
from conflicto.feed.timestamps import InvalidTimestamp, Since, parse
from conflicto.feed.views import View, require_responses, view_of
from conflicto.platform.http.conditions import REVALIDATE, VARY, conditional_answer
from conflicto.platform.http.messages import JSON_HEADER, NO_STORE, Answer, Call
from conflicto.platform.http.routes import Docs, Route, data
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import FieldError, InvalidInput
from conflicto.responses.errors import ResponsesHidden
from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from conflicto.feed.head import SessionHead
    from conflicto.feed.heads import Heads
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.http.messages import Header

POLL = Policy("poll", 600, 60)
"""A phone polls two or three addresses every 2 s; ten a second leave room for several tabs and a burst after sleep."""

POLL_AFTER_MS = 2_000
POLL_AFTER_CLOSED_MS = 60_000
MOST_BODIES = 1_000
"""Encoded bodies kept of one head; only a crowd of very different positions has more."""

LONGEST_LIMIT = 8
"""Characters of a limit that are looked at; Python refuses to read thousands of digits."""


@dataclass(frozen=True, slots=True)
class FeedEndpoints:
    """Status and feed of sessions and activities."""

    db: Database
    heads: Heads
    clock: Clock
    epoch: str

    async def session_status(self, call: Call) -> Answer:
        """Return the session's status."""
        head = await self.heads.get(call.params["session_id"])
        body, tag = status.session_status(head, view_of(call.caller), self.clock.monotonic_s())
        return conditional_answer(call, body, tag, (_poll_after(head),))

    async def activity_status(self, call: Call) -> Answer:
        """Return an activity's status."""
        head = await self.heads.get(call.params["session_id"])
        view = view_of(call.caller)
        activity = head.activity(call.params["activity_id"], for_host=view is View.HOST)
        body, tag = status.activity_status(head, activity, view, self.clock.monotonic_s())
        return conditional_answer(call, body, tag, (_poll_after(head),))

    async def responses_since(self, call: Call) -> Answer:
        """Return the answers that came or changed after a position."""
        since, limit = parse(call.params["timestamp"]), _limit(call)
        head = await self.heads.get(call.params["session_id"])
        view = view_of(call.caller)
        activity = head.activity(call.params["activity_id"], for_host=view is View.HOST)
        require_responses(activity, view)
        newest = head.visible_head(activity) if view is View.PARTICIPANT else head.ts
        now_us = self.clock.wall_us()
        page = _caught_up(head, since, newest)
        if page is None:
            page = await self.db.read(read_responses, activity.id, view, since, limit=limit, now_us=now_us)
        return self._answer(call, page, head, since)

    async def changes_since(self, call: Call) -> Answer:
        """Return what changed in the session after a position, as the caller's role may see it."""
        since, limit = parse(call.params["timestamp"]), _limit(call)
        head = await self.heads.get(call.params["session_id"])
        now_us = self.clock.wall_us()
        page = _caught_up(head, since, _newest_for(head, call.caller.participant_id, since))
        if page is None:
            read = await self.db.read(read_changes, head.session.id, call.caller, since, limit=limit, now_us=now_us)
            page, own = read
            if call.caller.participant_id is not None:
                head.own[call.caller.participant_id] = max(own, head.own.get(call.caller.participant_id, 0))
        return self._answer(call, page, head, since)

    def _answer(self, call: Call, page: Page, head: SessionHead, since: Since) -> Answer:
        caching: Header = NO_STORE if since.kind == "now" else REVALIDATE
        cursor = b"%016d" % page.cursor
        below = call.route.path.rpartition("/")[0].format_map(call.params).encode()
        headers = (
            JSON_HEADER,
            caching,
            VARY,
            (b"feed-cursor", cursor),
            (b"link", b"<" + below + b"/" + cursor + b'>; rel="next"'),
            _poll_after(head),
        )
        return Answer(200, self._body(page, head), headers)

    def _body(self, page: Page, head: SessionHead) -> bytes:
        """Encode a page; those who have seen everything ask from the same position, so they share one body."""
        if page.items:
            return page.encoded(self.epoch)
        key = ("nothing new", page.since, page.cursor, page.clamped, page.closed)
        cached = head.bodies.get(key)
        if cached is None:
            cached = head.bodies[key] = (page.encoded(self.epoch), b"")
            if len(head.bodies) > MOST_BODIES:
                head.bodies.clear()
        return cached[0]


def _newest_for(head: SessionHead, participant_id: int | None, since: Since) -> int | None:
    """Return the newest change that the caller's view of the session shows, or None if the database must be asked."""
    if participant_id is None:
        return head.ts
    own = head.own_head(participant_id, since.us)
    return None if own is None else max(head.ctl, own)


def _caught_up(head: SessionHead, since: Since, newest: int | None) -> Page | None:
    """Return the empty page of a caller who has seen everything, without asking the database; None if there may be more.

    A position beyond the newest known here may come from another worker, which knows more: only the database can clamp it.
    """
    if newest is None or since.kind == "beginning" or (since.kind == "position" and since.us != newest):
        return None
    closed = head.session.status is SessionStatus.COMPLETED
    return made_page((), since=newest, head=newest, limit=1, closed=closed, clamped=False)


def _limit(call: Call) -> int:
    text = call.query("limit")
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) < LONGEST_LIMIT else 0
    if not 1 <= limit <= LARGEST_LIMIT:
        raise InvalidInput(errors=(FieldError("/query/limit", f"must be a whole number from 1 to {LARGEST_LIMIT}"),))
    return limit


def _poll_after(head: SessionHead) -> Header:
    closed = head.session.status is SessionStatus.COMPLETED
    return b"poll-after", b"%d" % (POLL_AFTER_CLOSED_MS if closed else POLL_AFTER_MS)


def routes(feed: FeedEndpoints) -> list[Route]:
    """Return the rows of the contract that this room serves."""
    activity = "/sessions/{session_id}/activities/{activity_id}"
    refused = (InvalidTimestamp, CursorInFuture, InvalidInput)
    return [
        data("GET", "/sessions/{session_id}/status", feed.session_status, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="The session's status", gives={200: schemas.SessionStatusOut, 304: None}, headers=("If-None-Match",))),
        data("GET", activity + "/status", feed.activity_status, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="An activity's status", gives={200: schemas.ActivityStatusOut, 304: None}, headers=("If-None-Match",))),
        data("GET", activity + "/responses/since/{timestamp}", feed.responses_since, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="Answers after a position", gives={200: schemas.ResponseFeedOut}, query=schemas.FeedQuery,
                       problems=(*refused, ResponsesHidden))),
        data("GET", "/sessions/{session_id}/changes/since/{timestamp}", feed.changes_since, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="Changes of the session after a position", gives={200: schemas.ChangeFeedOut}, query=schemas.FeedQuery,
                       problems=refused)),
    ]  # fmt: skip
