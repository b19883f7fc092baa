"""Request and response bodies of activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import BaseModel, Field, StrictBool, StrictInt, StrictStr, StringConstraints
from typing_extensions import TypeAliasType

from conflicto.activities.model import (
    DEFAULT_MIN_GROUP,
    MAX_MIN_GROUP,
    ActivityStatus,
    ModerationPolicy,
    ResponsePolicy,
    ResponsesVisibility,
    ResultsVisibility,
)
from conflicto.activity_types.scopes import shown_config
from conflicto.platform.http.formats import JsonText, OptionalJsonText, Timestamp, Uuid
from conflicto.platform.http.paging import PageOut, PageQuery, StrictModel, example, optional_field, page_example
from conflicto.platform.http.text_patterns import text_pattern
from conflicto.platform.instants import S_PER_DAY, rfc3339
from conflicto.sessions.schemas import Reason, Title

if TYPE_CHECKING:
    from conflicto.activities.model import Activity, Content

Json = Any
EMPTY_CONFIG = "{}"
TypeName = Annotated[
    StrictStr,
    text_pattern(
        r"^[a-z0-9][a-z0-9_.\-]{0,63}$",
        "must be up to 64 lower-case letters, digits, - _ and ., and begin with a letter or digit",
    ),
]
Seconds = Annotated[StrictInt, Field(ge=1, le=S_PER_DAY)]
CountedFrom = TypeAliasType("CountedFrom", Literal["end", "now"])
MinGroup = Annotated[StrictInt, Field(ge=0, le=MAX_MIN_GROUP)]
TypeVersion = Annotated[
    StrictStr,
    text_pattern(
        r"^([0-9]{1,5}(\.[0-9]{1,5}){0,2}|x[0-9a-f]{16})$",
        "must be one to three numbers, such as 2 or 1.4.0",
    ),
]
OrderIndex = Annotated[StrictInt, Field(ge=-1_000_000, le=1_000_000)]


ACTIVITY_EXAMPLE: dict[str, Any] = {
    "id": "8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4", "session_id": 190463227641021, "type": "lunch", "type_version": "1",
    "title": "Where do we eat?",
    "config": {"options": ["Pizza", "Curry"]}, "secret": {"note": "Last time it was pizza"}, "order_index": 0, "status": "active",
    "response_policy": "one", "results_visibility": "after_reveal", "responses_visibility": "host", "moderation": "off", "anonymous": False,
    "min_group": 3,
    "duration_seconds": 60, "round": 1, "started_at": "2026-11-23T09:05:12.250417Z", "ends_at": "2026-11-23T09:06:12.250417Z",
    "results_revealed": False, "secret_revealed": False, "focus_response_id": "01936f0e-7a2c-7c3d-9a4e-5b6c7d8e9f01", "revision": 2,
    "created_at": "2026-11-23T09:00:03.118209Z",
    "updated_at": "2026-11-23T09:05:12.250418Z", "aggregate": {"votes": {"path": "/choice", "op": "count"}},
}  # fmt: skip


class ActivityFields(StrictModel):
    """Fields of an activity except its type and JSON."""

    title: Title | None = None
    order_index: OrderIndex | None = Field(None, description="Position in the session; without it after the last activity.")
    response_policy: ResponsePolicy = ResponsePolicy.ONE
    results_visibility: ResultsVisibility = ResultsVisibility.AFTER_REVEAL
    responses_visibility: ResponsesVisibility = ResponsesVisibility.HOST
    moderation: ModerationPolicy = ModerationPolicy.OFF
    anonymous: StrictBool = Field(False, description="Authors are hidden from everyone, hosts included.")
    min_group: MinGroup = Field(
        DEFAULT_MIN_GROUP,
        description="Minimum number of people behind a published result of an anonymous activity."
        " 0: each answer appears alone, after 5 to 30 seconds.",
    )
    duration_seconds: Seconds | None = Field(None, description="Time for answers once active; null: until it is ended.")


def type_defaults(defaults: dict[str, Any], *, set_fields: set[str]) -> dict[str, Any]:
    """Return a type's defaults of the fields that the host omitted."""
    return ActivityFields.model_validate({name: value for name, value in defaults.items() if name not in set_fields}).model_dump(
        exclude_unset=True
    )


class ActivityIn(ActivityFields):
    """A new activity; omitted fields have the default of a registered type, else their own."""

    model_config = example(
        type="lunch", title="Where do we eat?", config={"options": ["Pizza", "Curry"]}, duration_seconds=60, status="active"
    )

    type: TypeName = Field(
        description="Name of the activity type. Any name is accepted; `/activity-types` lists the registered ones."
    )
    type_version: TypeVersion | None = Field(None, description="Version of a registered type; without it the newest one.")
    config: JsonText = Field(default_factory=lambda: EMPTY_CONFIG, description="Any JSON; a registered type validates it.")
    secret: OptionalJsonText = Field(None, description="Any JSON that only hosts see before its reveal.")
    aggregate: OptionalJsonText = Field(None, description="How answers are counted; without it as the registered type defines.")
    status: ActivityStatus = ActivityStatus.DRAFT


class ActivityPut(ActivityFields):
    """All fields of an activity.

    Omitted fields have the default of a registered type, else their own.
    """

    model_config = example(type="lunch", title="Where do we eat?", config={"options": ["Pizza", "Curry", "Soup"]})

    type: TypeName
    type_version: TypeVersion | None = Field(None, description="Without it, the same type keeps its version.")
    config: JsonText = Field(default_factory=lambda: EMPTY_CONFIG)
    secret: OptionalJsonText = None
    aggregate: OptionalJsonText = None


class ActivityPatch(StrictModel):
    """Some fields of an activity; each replaces the old value."""

    model_config = example(title="Where do we eat tonight?", responses_visibility="screen")

    type: TypeName = optional_field()
    type_version: TypeVersion = optional_field()
    title: Title | None = None
    order_index: OrderIndex = optional_field()
    response_policy: ResponsePolicy = optional_field()
    results_visibility: ResultsVisibility = optional_field()
    responses_visibility: ResponsesVisibility = optional_field()
    moderation: ModerationPolicy = optional_field()
    anonymous: StrictBool = optional_field()
    min_group: MinGroup = optional_field()
    duration_seconds: Seconds | None = None
    config: OptionalJsonText = None
    secret: OptionalJsonText = None
    aggregate: OptionalJsonText = None


class TransitionIn(StrictModel):
    """A transition."""

    model_config = example(target_status="active", duration_seconds=60)

    target_status: ActivityStatus
    reason: Reason | None = None
    duration_seconds: Seconds | None = None


class StatusIn(StrictModel):
    """A transition, in short form."""

    model_config = example(status="expired")

    status: ActivityStatus


class ExtendIn(StrictModel):
    """An extension of time."""

    model_config = example(seconds=30)

    seconds: Seconds
    counted_from: CountedFrom = Field(
        "end", description="`end` moves the current end; `now` sets a new one, also if there is none."
    )


class RevealIn(StrictModel):
    """Visibility of results and secret; omitted fields stay unchanged."""

    model_config = example(results=True)

    results: StrictBool | None = None
    secret: StrictBool | None = None


class RoundIn(StrictModel):
    """Duration and reason of a new round."""

    model_config = example(duration_seconds=60, reason="Vote again after the discussion")

    reason: Reason | None = None
    duration_seconds: Seconds | None = None


class ShowIn(StrictModel):
    """The activity on the screen; null clears it."""

    model_config = example(activity_id="8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4")

    activity_id: Annotated[StrictStr, StringConstraints(max_length=36), Field(json_schema_extra={"format": "uuid"})] | None


class ActivityListQuery(PageQuery):
    """Query of a list of activities."""

    status: ActivityStatus | None = None


class ForceQuery(StrictModel):
    """Query of a change: whether `config` and `secret` change despite answers."""

    force: bool = False


class ActivityOut(BaseModel):
    """An activity.

    Only hosts see `aggregate`, hidden parts of `config`, and `secret` before its reveal.
    """

    has_revision_tag: ClassVar[bool] = True

    model_config = example(**ACTIVITY_EXAMPLE)

    id: Uuid
    session_id: int
    type: str
    type_version: str | None = Field(
        description="Version of the type whose schemas the JSON fits. null: the type was not registered, and any JSON is accepted."
        " `unknown`: from before versions were stored, so the oldest registered version."
    )
    title: str | None
    config: Json
    secret: Json
    order_index: int
    status: ActivityStatus
    response_policy: ResponsePolicy
    results_visibility: ResultsVisibility
    responses_visibility: ResponsesVisibility
    moderation: ModerationPolicy
    anonymous: bool
    min_group: int
    duration_seconds: int | None
    round: int
    started_at: Timestamp | None
    ends_at: Timestamp | None
    results_revealed: bool
    secret_revealed: bool
    focus_response_id: Uuid | None = Field(
        description="The answer that the host shows large, where others than hosts read answers."
    )
    revision: int
    created_at: Timestamp
    updated_at: Timestamp
    aggregate: Json = None


class ActivityPage(PageOut):
    """A list of activities."""

    model_config = page_example(ACTIVITY_EXAMPLE)

    items: list[ActivityOut]


NULL = msgspec.Raw(b"null")


def activity_out(activity: Activity, content: Content, *, for_host: bool) -> dict[str, Any]:
    """Return an activity for a host or anyone else.

    Only this function writes `config` and `secret` to responses.
    """
    shown = {
        "id": activity.id,
        "session_id": activity.session_id,
        "type": activity.type,
        "type_version": activity.type_version,
        "title": activity.title,
        "config": _raw(content.config if for_host else _shown_config(activity, content)),
        "secret": _raw(content.secret) if for_host or activity.secret_revealed else NULL,
        "order_index": activity.order_index,
        "status": activity.status,
        "response_policy": activity.response_policy,
        "results_visibility": activity.results_visibility,
        "responses_visibility": activity.responses_visibility,
        "moderation": activity.moderation,
        "anonymous": activity.anonymous,
        "min_group": activity.min_group,
        "duration_seconds": activity.duration_seconds,
        "round": activity.round,
        "started_at": _instant(activity.started_ts),
        "ends_at": _instant(activity.ends_us),
        "results_revealed": activity.results_revealed,
        "secret_revealed": activity.secret_revealed,
        "focus_response_id": activity.focus_response_id if for_host or _shows_responses(activity) else None,
        "revision": activity.revision,
        "created_at": rfc3339(activity.created_ts),
        "updated_at": rfc3339(activity.updated_ts),
    }
    if for_host:
        shown["aggregate"] = _raw(content.aggregate)
    return shown


def _shown_config(activity: Activity, content: Content) -> str:
    return shown_config(content.config, content.scopes, revealed=activity.results_revealed)


def _shows_responses(activity: Activity) -> bool:
    return activity.responses_visibility is not ResponsesVisibility.HOST


def _raw(text: str | None) -> msgspec.Raw:
    return NULL if text is None else msgspec.Raw(text.encode())


def _instant(at_us: int | None) -> str | None:
    return None if at_us is None else rfc3339(at_us)
