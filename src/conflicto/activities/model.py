"""Model of activities and their counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from uuid import UUID

MAX_ACTIVITIES = 500
"""Activities of one session; every process holds their small state in memory."""

MAX_ACTIVITIES_EVER = 100_000
"""Limit of a session's activities, deleted ones included."""


MAX_MIN_GROUP, DEFAULT_MIN_GROUP = 20, 3
"""Bounds of `min_group`, the people behind any published result of an anonymous activity."""


class ActivityStatus(StrEnum):
    """Statuses of an activity (`lifecycle.py`)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ACTIVE = "active"
    EXPIRED = "expired"


class ResponsePolicy(StrEnum):
    """Answers of a participant that count in a round: the last one, the first one, or all."""

    ONE = "one"
    FIRST = "first"
    MANY = "many"


class ResultsVisibility(StrEnum):
    """Moment from which screen and participants see the results; hosts always do."""

    AFTER_REVEAL = "after_reveal"
    AFTER_ANSWER = "after_answer"
    ALWAYS = "always"
    HOST = "host"


class ResponsesVisibility(StrEnum):
    """Readers of the answers: the host, the screen too, or participants too."""

    HOST = "host"
    SCREEN = "screen"
    PARTICIPANTS = "participants"


class ModerationPolicy(StrEnum):
    """Moderation: hosts hide answers afterwards, or approve them before others see them."""

    OFF = "off"
    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """JSON texts of an activity.

    `scopes` lists the hidden parts of the config (None: no hidden part).
    """

    config: str
    secret: str | None
    aggregate: str | None
    scopes: str | None = None

    @property
    def characters(self) -> int:
        """Return the length of all JSON texts together."""
        return sum(len(text or "") for text in (self.config, self.secret, self.aggregate, self.scopes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """An activity without its JSON. Instants are feed timestamps, µs since 1970 UTC.

    `published_ts` is the first instant of visibility (None: never). `ends_us` is the instant of
    expiry. `was_revealed`: results or secret were shown in this round, even if hidden again.
    `focus_response_id` is the answer that the host shows large (None: no answer). `min_group` is
    the minimum number of people behind any published result of an anonymous activity. 0: each
    answer appears alone, after a random delay. `type_version` is the version whose schemas the JSON
    fits (None: the type was not registered, so the JSON is opaque).
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
    type_version: str | None = None

    @property
    def is_visible(self) -> bool:
        """Return whether screen and participants may see it now."""
        return not self.deleted and self.status is not ActivityStatus.DRAFT

    @property
    def is_anonymous_round(self) -> bool:
        """Return whether it is an anonymous activity with an open round, or one about to expire."""
        return self.anonymous and not self.deleted and self.status is ActivityStatus.ACTIVE


class StoredVersion(NamedTuple):
    """A version of a type with the number of activities that store it."""

    type: str
    version: str
    activities: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one round: all live answers for the host, visible ones for everyone else.

    `*_last_ts` is the timestamp of the newest such answer (None: no answer). `*_changed_ts` is the
    newest change of the set, deletions included (0: no change). `started_ts`, `duration_seconds`
    and `was_revealed` describe a past round; the activity itself describes the current one.
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
