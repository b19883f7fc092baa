"""The endpoints that every phone and screen asks all the time: status and feed, on the data plane, answered from memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.access.roles import MEMBERS
from conflicto.feed import schemas
from conflicto.feed.pages import CursorInFuture
from conflicto.feed.timestamps import InvalidTimestamp
from conflicto.platform.http.routes import Docs, Route, data
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import InvalidInput
from conflicto.responses.errors import ResponsesHidden

if TYPE_CHECKING:
    from conflicto.feed.answers import Answers
    from conflicto.feed.waits import Waits
    from conflicto.platform.http.messages import Answer, Call

POLL = Policy("poll", 600, 60)
"""A phone polls two or three addresses every 2 s; ten a second leave room for several tabs and a burst after sleep."""


@dataclass(frozen=True, slots=True)
class FeedEndpoints:
    """Status and feed of sessions and activities; each waits for news if it is asked to."""

    answers: Answers
    waits: Waits

    async def session_status(self, call: Call) -> Answer:
        """Return the session's status."""
        return await self.waits.answer(call, self.answers.session_status)

    async def activity_status(self, call: Call) -> Answer:
        """Return an activity's status."""
        return await self.waits.answer(call, self.answers.activity_status)

    async def responses_since(self, call: Call) -> Answer:
        """Return the answers that came or changed after a position."""
        return await self.waits.answer(call, self.answers.responses)

    async def changes_since(self, call: Call) -> Answer:
        """Return what changed in the session after a position, as the caller's role may see it."""
        return await self.waits.answer(call, self.answers.changes)


def routes(feed: FeedEndpoints) -> list[Route]:
    """Return the rows of the contract that this room serves."""
    activity = "/sessions/{session_id}/activities/{activity_id}"
    refused = (InvalidTimestamp, CursorInFuture, InvalidInput)
    return [
        data("GET", "/sessions/{session_id}/status", feed.session_status, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="The session's status", gives={200: schemas.SessionStatusOut, 304: None}, query=schemas.WaitQuery,
                       headers=POLLED, problems=(InvalidInput,))),
        data("GET", activity + "/status", feed.activity_status, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="An activity's status", gives={200: schemas.ActivityStatusOut, 304: None}, query=schemas.WaitQuery,
                       headers=POLLED, problems=(InvalidInput,))),
        data("GET", activity + "/responses/since/{timestamp}", feed.responses_since, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="Answers after a position", gives={200: schemas.ResponseFeedOut, 304: None}, query=schemas.FeedQuery,
                       headers=POLLED, problems=(*refused, ResponsesHidden))),
        data("GET", "/sessions/{session_id}/changes/since/{timestamp}", feed.changes_since, who=MEMBERS, policy=POLL, tag="polling",
             docs=Docs(summary="Changes of the session after a position", gives={200: schemas.ChangeFeedOut, 304: None},
                       query=schemas.FeedQuery, headers=POLLED, problems=refused)),
    ]  # fmt: skip


POLLED = ("If-None-Match", "Prefer")
"""Headers that every polled address understands."""
