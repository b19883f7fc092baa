"""Endpoint of the caller's own seat, with their points and responses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conflicto.activities.queries import activities_by_id
from conflicto.participants.errors import SeatGone
from conflicto.participants.queries import participant_by_id
from conflicto.participants.schemas import participant_out
from conflicto.platform.db.batched_read import MAX_BATCH_PAGES, BatchedRead, deduplicated
from conflicto.platform.http.messages import Request, Response, json_response
from conflicto.platform.http.paging import MAX_PAGE_BYTES
from conflicto.platform.problems import NotFound
from conflicto.responses.queries import own_responses
from conflicto.responses.schemas import response_out

if TYPE_CHECKING:
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.results.leaderboard_handler import LeaderboardHandler

MAX_OWN_RESPONSES = 1000
"""Maximum own responses in a body."""


@dataclass(frozen=True, slots=True)
class OwnParticipant:
    """The caller as a participant. Participants that reconnect at once share reads."""

    db: Database
    leaderboard: LeaderboardHandler
    reads: BatchedRead[tuple[int, int | None], dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        """Create the batched read."""
        object.__setattr__(self, "reads", BatchedRead(self.db, deduplicated(_read), max_batch=MAX_BATCH_PAGES))

    async def read(self, request: Request) -> Response:
        """Return the caller's own seat, points and responses."""
        caller = request.caller
        try:
            points = await self.leaderboard.points(caller.session_id, caller.participant_id)
            return json_response(await self.reads.read((caller.participant_id, points)))
        except NotFound as error:
            raise SeatGone from error


def _read(tx: ReadTx, key: tuple[int, int | None]) -> dict[str, Any]:
    participant_id, points = key
    participant = participant_by_id(tx, participant_id)
    own = own_responses(tx, participant_id, activity_id=None, limit=MAX_OWN_RESPONSES, max_characters=MAX_PAGE_BYTES).rows
    visible = {each.id for each in activities_by_id(tx, {each.activity_id for each in own}).values() if each.is_visible}
    responses = [response_out(each, anonymous=False) for each in own if each.activity_id in visible]
    return participant_out(participant) | {"points": points, "responses": responses}
