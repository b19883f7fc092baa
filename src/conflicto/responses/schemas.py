"""What responses look like on the wire, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import msgspec
from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictStr, StringConstraints, model_validator

from conflicto.participants.model import FloodFilter
from conflicto.participants.nickname import MAX_CHARS, key_part
from conflicto.participants.schemas import PARTICIPANT_EXAMPLE, ResponseRetention
from conflicto.platform.http.formats import Timestamp, Uuid
from conflicto.platform.http.paging import PageOut, PageQuery, StrictModel, example, page_example
from conflicto.platform.instants import parse_rfc3339, rfc3339
from conflicto.responses.model import Moderation

if TYPE_CHECKING:
    from conflicto.responses.model import ParticipantResponse


def _instant(text: str) -> str:
    parse_rfc3339(text)
    return text


Instant = Annotated[
    StrictStr, StringConstraints(max_length=40), AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})
]

NULL = msgspec.Raw(b"null")


RESPONSE_EXAMPLE: dict[str, Any] = {
    "id": "019ab0c2-3f8e-7a51-8d2b-1f0e5a6c7d90", "session_id": 190463227641021, "activity_id": "8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4",
    "participant_id": 77120393345120, "round": 1, "revision": 1, "deleted": False, "moderation": "visible",
    "response_data": {"choice": "Curry"}, "created_at": "2026-11-23T09:05:20.004211Z", "updated_at": "2026-11-23T09:05:20.004211Z",
    "received_at": "2026-11-23T09:05:20.003990Z",
}  # fmt: skip


class ResponseIn(StrictModel):
    """An answer: any JSON, up to 16 KiB."""

    model_config = example(response_data={"choice": "Curry"})

    response_data: Any = Field(description="Stored and returned byte for byte, without insignificant white space.")


class ModerationIn(StrictModel):
    """Whether others may see the answer."""

    model_config = example(moderation="hidden")

    moderation: Moderation


class FocusIn(StrictModel):
    """Which answer is shown large; null: none."""

    model_config = example(response_id="01936f0e-7a2c-7c3d-9a4e-5b6c7d8e9f01")

    response_id: UUID | None


class FocusOut(BaseModel):
    """Which answer is shown large now."""

    model_config = example(response_id="01936f0e-7a2c-7c3d-9a4e-5b6c7d8e9f01")

    response_id: Uuid | None


class FloodIn(StrictModel):
    """Whom to remove: who joined at an instant or later, whose name holds a text, or both. `preview` counts them and removes nobody."""

    model_config = example(joined_since="2026-11-23T09:05:00.000000Z", name_contains="bot", responses="delete")

    joined_since: Instant | None = Field(None, description="RFC 3339, as `created_at` of participants is.")
    name_contains: Annotated[StrictStr, StringConstraints(max_length=MAX_CHARS, pattern=r"\S")] | None = Field(
        None, description="In any case and form, as names are compared."
    )
    responses: ResponseRetention = "keep"
    preview: StrictBool = False

    @model_validator(mode="after")
    def _means_somebody(self) -> Self:
        if self.joined_since is None and self.name_contains is None:
            raise ValueError("names neither an instant nor a part of a name, so everybody would go")
        return self

    def flood(self) -> FloodFilter:
        """Return who is meant."""
        part = None if self.name_contains is None else key_part(self.name_contains)
        return FloodFilter(since_ts=None if self.joined_since is None else parse_rfc3339(self.joined_since), key_part=part)


class FloodOut(BaseModel):
    """How many went, and how many of those who are meant are there now: call again while there are any, or answers were deleted."""

    model_config = example(removed=1000, responses_deleted=4127, matching=312)

    removed: int
    responses_deleted: int
    matching: int


class ResponseListQuery(PageQuery):
    """Which responses."""

    participant_id: int | None = Field(None, ge=1, lt=2**48)
    round: int | None = Field(None, ge=1, lt=2**31)
    contains: Annotated[StrictStr, StringConstraints(max_length=2000)] | None = Field(
        None, description="JSON that the response must contain, as PostgreSQL's @> understands it."
    )


class ResponseOut(BaseModel):
    """A response in its present revision. `updated_at` is its place in the feed; a tombstone has no data."""

    model_config = example(**RESPONSE_EXAMPLE)

    id: Uuid
    session_id: int
    activity_id: Uuid
    participant_id: int | None
    round: int
    revision: int
    deleted: bool
    moderation: Moderation
    response_data: Any
    created_at: Timestamp
    updated_at: Timestamp
    received_at: Timestamp


class ResponsePage(PageOut):
    """A list of answers."""

    model_config = page_example(RESPONSE_EXAMPLE)

    items: list[ResponseOut]


class MeOut(BaseModel):
    """One's own seat, score and answers; `points` is null until a scored activity's results may be told."""

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


def response_out(
    response: ParticipantResponse, *, anonymous: bool, buried: bool = False, for_others: bool = False
) -> dict[str, Any]:
    """Return a response; without its author if the activity is anonymous, as a tombstone if it is `buried` for the caller.

    `for_others`: the caller is neither host nor author, and sees what the word filter left of it.
    """
    gone = response.deleted or buried
    text = response.masked if for_others and response.masked is not None else response.text
    return {
        "id": response.id,
        "session_id": response.session_id,
        "activity_id": response.activity_id,
        "participant_id": None if anonymous else response.participant_id,
        "round": response.round,
        "revision": response.revision,
        "deleted": gone,
        "moderation": response.moderation,
        "response_data": NULL if gone or text is None else msgspec.Raw(text.encode()),
        "created_at": rfc3339(response.created_ts),
        "updated_at": rfc3339(response.ts),
        "received_at": rfc3339(response.received_us),
    }
