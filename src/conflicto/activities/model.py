"""What an activity is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

MAX_ACTIVITIES = 500
"""Activities of one session: every process keeps the small state of all of them in memory."""


MAX_MIN_GROUP, DEFAULT_MIN_GROUP = 20, 3
"""People behind what others see of an anonymous activity: at most, and where nobody says otherwise."""


class ActivityStatus(StrEnum):
    """Where an activity stands in its lifecycle (`lifecycle.py`)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ACTIVE = "active"
    EXPIRED = "expired"


class ResponsePolicy(StrEnum):
    """How many answers a participant has in a round: the last one, the first one, or all."""

    ONE = "one"
    FIRST = "first"
    MANY = "many"


class ResultsVisibility(StrEnum):
    """When screen and participants see the results; hosts always do."""

    AFTER_REVEAL = "after_reveal"
    AFTER_ANSWER = "after_answer"
    ALWAYS = "always"
    HOST = "host"


class ResponsesVisibility(StrEnum):
    """Who reads the answers themselves: the host, the screen too, or participants too."""

    HOST = "host"
    SCREEN = "screen"
    PARTICIPANTS = "participants"


class ModerationPolicy(StrEnum):
    """Whether the host can hide answers afterwards, or must approve them before others see them."""

    OFF = "off"
    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The JSON of an activity, as gated text; `scopes` says which parts of the config are hidden from whom (None: none is)."""

    config: str
    secret: str | None
    aggregate: str | None
    scopes: str | None = None

    @property
    def characters(self) -> int:
        """Return the length of all its JSON."""
        return sum(len(text or "") for text in (self.config, self.secret, self.aggregate, self.scopes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One interactive element without its JSON. Instants are feed timestamps, µs since 1970 UTC.

    `published_ts` is when participants first could see it (None: never). `ends_us` is the instant at which the server expires it.
    `was_revealed`: results or secret were shown in this round, even if they are hidden again. `focus_response_id` is the answer that
    the host shows large (None: none). `min_group` is how many people stand at least behind what others see of an anonymous activity;
    0: each answer comes by itself, after a random delay.
    """

    id: UUID
    session_id: int
    type: str
    title: str | None
    order_index: int
    status: ActivityStatus
    response_policy: ResponsePolicy
    results_visibility: ResultsVisibility
    responses_visibility: ResponsesVisibility
    moderation: ModerationPolicy
    anonymous: bool
    duration_seconds: int | None
    round: int
    started_ts: int | None
    ends_us: int | None
    results_revealed: bool
    secret_revealed: bool
    was_revealed: bool
    published_ts: int | None
    revision: int
    deleted: bool
    created_ts: int
    updated_ts: int
    focus_response_id: UUID | None = None
    min_group: int = 0

    @property
    def is_visible(self) -> bool:
        """Whether screen and participants may know of it now."""
        return not self.deleted and self.status is not ActivityStatus.DRAFT

    @property
    def is_anonymous_round(self) -> bool:
        """Return whether it is anonymous and its round is open, or over and not expired yet."""
        return self.anonymous and not self.deleted and self.status is ActivityStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers of one round: all live ones for the host, and the visible ones for everybody else.

    `*_last_ts` is the timestamp of the newest such answer (None: there is none), `*_changed_ts` of the newest change of the group,
    deletions included (0: none yet). `started_ts`, `duration_seconds` and `was_revealed` say of a round that is over what its activity
    says of the present one.
    """

    live: int = 0
    live_last_ts: int | None = None
    live_changed_ts: int = 0
    visible: int = 0
    visible_last_ts: int | None = None
    visible_changed_ts: int = 0
    started_ts: int | None = None
    duration_seconds: int | None = None
    was_revealed: bool = False
