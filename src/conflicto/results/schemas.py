"""Schemas of results and leaderboard. A result is the union of all operations' results, by `op`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from conflicto.aggregation.operations import OPERATIONS
from conflicto.feed.schemas import DEFAULT_LIMIT, MAX_LIMIT, WaitQuery
from conflicto.participants.schemas import PARTICIPANT_EXAMPLE
from conflicto.platform.http.formats import Timestamp, Uuid
from conflicto.platform.http.paging import example
from conflicto.responses.schemas import RESPONSE_EXAMPLE, ResponseOut

_ANY_RESULT: Any = reduce(or_, (operation.result for operation in OPERATIONS.values()))

Result = TypeAliasType("Result", Annotated[_ANY_RESULT, Field(discriminator="op")])


class ResultsQuery(WaitQuery):
    """Selection of results."""

    round: int | None = Field(None, ge=1, description="The round whose answers are counted; without it the present one.")
    moderation: Literal["visible"] | None = Field(
        None, description="For hosts: count what others see, without answers that are hidden or held and with masked words masked."
    )


RESULTS_EXAMPLE: dict[str, Any] = {
    "activity_id": "8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4", "round": 1, "response_count": 167,
    "last_updated": "2026-11-23T09:05:20.004211Z",
    "results": {"meals": {
        "op": "count", "answers": 167, "others": 0, "truncated": False,
        "values": [{"value": "Curry", "count": 98}, {"value": "Pizza", "count": 69}],
    }},
}  # fmt: skip

RESULTS_EVENT_EXAMPLE = (
    'retry: 3127\nid: W/"0d1f9c"\nevent: results\ndata: {"activity_id":"8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4","round":1,'
    '"response_count":0,"last_updated":"2026-11-23T09:05:20.004211Z","results":{}}\n\n'
)


class ResultsOut(BaseModel):
    """Results of a round. Hosts get all live ones by default, everybody else the visible ones.

    `results` has the names of the activity's `aggregate`. The op of each decides on the fields
    beside `op` and `answers`.
    """

    model_config = example(**RESULTS_EXAMPLE)

    activity_id: Uuid
    round: int
    response_count: int
    last_updated: Timestamp
    results: dict[str, Result]


class LeaderboardQuery(WaitQuery):
    """Size of the leaderboard."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Places, from the first one on.")


class PlaceOut(BaseModel):
    """One place. Participants with equal points have the same rank."""

    participant_id: int
    nickname: str
    points: int
    rank: int


class OwnPlaceOut(BaseModel):
    """The caller's place."""

    points: int
    rank: int


class LeaderboardOut(BaseModel):
    """Everybody's points in all scored activities, each in its present round.

    Hosts see all of them at once. Others see revealed ones that accept no more answers.
    """

    model_config = example(
        items=[{"participant_id": 77120393345120, "nickname": "Anna", "points": 1812, "rank": 1}], total=1,
        me={"points": 1812, "rank": 1},
    )  # fmt: skip

    items: list[PlaceOut]
    total: int
    me: OwnPlaceOut | None = Field(None, description="For participants; null while they have no place.")


class MeOut(BaseModel):
    """The caller's own seat, points and responses.

    `points` is null until results of a scored activity are visible to participants.
    """

    model_config = example(**PARTICIPANT_EXAMPLE, points=1840, responses=[RESPONSE_EXAMPLE])

    id: int
    session_id: int
    nickname: str
    scripted: bool
    revision: int
    created_at: Timestamp
    updated_at: Timestamp
    points: int | None
    responses: list[ResponseOut]
