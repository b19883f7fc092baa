"""Schemas of results: one for each `op` of an activity's `aggregate`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType


class _Result(BaseModel):
    """Base of all results."""

    answers: int = Field(description="Responses in which the path led to something of use.")


class ValueCount(BaseModel):
    """Number of times that a value was given."""

    value: Any
    count: int


class CountResult(_Result):
    """Values by frequency, the most frequent first."""

    op: Literal["count"]
    values: list[ValueCount]
    others: int = Field(description="Sum of the counts of values that are not listed.")
    truncated: bool


class Bin(BaseModel):
    """One bar of a histogram."""

    from_: float = Field(alias="from")
    to: float
    count: int


class NumberResult(_Result):
    """Sum, mean, extremes and histogram of numbers; null where there are no numbers."""

    op: Literal["number"]
    sum: float | None
    mean: float | None
    min: float | None
    max: float | None
    histogram: list[Bin]


class WordCount(BaseModel):
    """Number of responses that held a word."""

    word: str
    count: int


class WordsResult(_Result):
    """Words by frequency, the most frequent first."""

    op: Literal["words"]
    words: list[WordCount]
    others: int
    truncated: bool


class RankedValue(BaseModel):
    """Points of a ranked option, and how often it was first."""

    value: Any
    points: int
    first: int


class RankResult(_Result):
    """Options by points, the best first."""

    op: Literal["rank"]
    ranking: list[RankedValue]
    truncated: bool


class VoteCount(BaseModel):
    """Votes for and against a target."""

    target: str
    up: int
    down: int


class VotesResult(_Result):
    """Targets by votes, the best first."""

    op: Literal["votes"]
    targets: list[VoteCount]
    truncated: bool


class ScoredParticipant(BaseModel):
    """Points of a participant, who is null in anonymous activities."""

    participant_id: int | None
    points: int


class ScoreResult(_Result):
    """Number of right responses, and who earned most; `correct` is null before that may be told."""

    op: Literal["score"]
    correct: int | None
    best: list[ScoredParticipant]


Result = TypeAliasType(
    "Result",
    Annotated[CountResult | NumberResult | WordsResult | RankResult | VotesResult | ScoreResult, Field(discriminator="op")],
)
