"""Schemas of request and response bodies of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

import msgspec
from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictStr, StringConstraints, model_validator

from conflicto.participants.model import FloodFilter
from conflicto.participants.nickname import MAX_CHARS, key_part
from conflicto.participants.schemas import ResponseRetention
from conflicto.platform.http.formats import JsonText, Timestamp, Uuid
from conflicto.platform.http.paging import PageOut, PageQuery, StrictModel, example, page_example
from conflicto.platform.instants import parse_rfc3339, rfc3339
from conflicto.responses.model import Moderation
from conflicto.sessions.schemas import VISIBLE

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
    """A response: any JSON, up to 16 KiB."""

    model_config = example(response_data={"choice": "Curry"})

    response_data: JsonText = Field(description="Stored and returned byte for byte, without insignificant white space.")


class ModerationIn(StrictModel):
    """Visibility of a response for others."""

    model_config = example(moderation="hidden")

    moderation: Moderation


class FocusIn(StrictModel):
    """The response to enlarge on the screen; null ends that."""

    model_config = example(response_id="01936f0e-7a2c-7c3d-9a4e-5b6c7d8e9f01")

    response_id: UUID | None


class FocusOut(BaseModel):
    """The response that is enlarged on the screen now; null: none."""

    model_config = example(response_id="01936f0e-7a2c-7c3d-9a4e-5b6c7d8e9f01")

    response_id: Uuid | None


class FloodIn(StrictModel):
    """A filter of participants to remove: joining time, part of the nickname, or both.

    `preview` counts the matching participants and removes nobody.
    """

    model_config = example(joined_since="2026-11-23T09:05:00.000000Z", name_contains="bot", responses="delete")

    joined_since: Instant | None = Field(
        None, description="RFC 3339. Matches participants whose `created_at` is this instant or later."
    )
    name_contains: Annotated[StrictStr, StringConstraints(max_length=MAX_CHARS), VISIBLE] | None = Field(
        None, description="Part of the nickname, compared as nicknames are: letter case and Unicode form do not matter."
    )
    responses: ResponseRetention = "keep"
    preview: StrictBool = False

    @model_validator(mode="after")
    def _require_filter(self) -> Self:
        if self.joined_since is None and self.name_contains is None:
            raise ValueError("has no filter: set `joined_since`, `name_contains` or both")
        return self

    def flood(self) -> FloodFilter:
        """Return the filter of participants."""
        part = None if self.name_contains is None else key_part(self.name_contains)
        return FloodFilter(since_ts=None if self.joined_since is None else parse_rfc3339(self.joined_since), key_part=part)


class FloodOut(BaseModel):
    """Numbers of removed participants, deleted responses and participants that still match.

    Repeat the request until nothing matches and no response was deleted.
    """

    model_config = example(removed=1000, responses_deleted=4127, matching=312)

    removed: int
    responses_deleted: int
    matching: int


class ResponseListQuery(PageQuery):
    """Filter and page of a list of responses."""

    participant_id: int | None = Field(None, ge=1, lt=2**48)
    round: int | None = Field(None, ge=1, lt=2**31)
    contains: Annotated[StrictStr, StringConstraints(max_length=2000)] | None = Field(
        None, description="JSON that the response must contain, by the rules of PostgreSQL's operator `@>`."
    )


class ResponseOut(BaseModel):
    """A response in its current revision.

    `updated_at` is its position in the feed. The `response_data` of a tombstone is null.
    """

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
    """A page of responses."""

    model_config = page_example(RESPONSE_EXAMPLE)

    items: list[ResponseOut]


def response_out(
    response: ParticipantResponse, *, anonymous: bool, as_tombstone: bool = False, for_others: bool = False
) -> dict[str, Any]:
    """Return the JSON object of a response.

    `anonymous` leaves the author out. `as_tombstone` makes it a tombstone for the caller.
    `for_others`: the caller is neither host nor author, and gets the text masked by the word
    filter.
    """
    deleted = response.deleted or as_tombstone
    created_at = rfc3339(response.created_ts)
    text = response.masked if for_others and response.masked is not None else response.text
    return {
        "id": response.id,
        "session_id": response.session_id,
        "activity_id": response.activity_id,
        "participant_id": None if anonymous else response.participant_id,
        "round": response.round,
        "revision": response.revision,
        "deleted": deleted,
        "moderation": response.moderation,
        "response_data": NULL if deleted or text is None else msgspec.Raw(text.encode()),
        "created_at": created_at,
        "updated_at": created_at if response.ts == response.created_ts else rfc3339(response.ts),
        "received_at": rfc3339(response.received_us),
    }
