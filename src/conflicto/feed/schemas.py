"""Schemas of the feed. `status.py` and `pages.py` build the bodies; these models document them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from conflicto.activities.model import ActivityStatus
from conflicto.activities.schemas import ActivityOut
from conflicto.participants.schemas import ParticipantOut
from conflicto.platform.http.formats import Timestamp, Uuid
from conflicto.platform.http.paging import example
from conflicto.responses.schemas import RESPONSE_EXAMPLE, ResponseOut
from conflicto.sessions.model import SessionStatus
from conflicto.sessions.schemas import SESSION_EXAMPLE, SessionOut

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
MAX_ACCEPTED_WAIT_S = 999_999
"""Six digits are read; what is more than 25 counts as 25."""

PAGE_EXAMPLE: dict[str, Any] = {
    "items": [RESPONSE_EXAMPLE], "since": "1795424720004210", "count": 1, "cursor": "1795424720004211",
    "has_more": False, "epoch": "k3f9x2m7qa", "closed": False,
}  # fmt: skip

CHANGE_EXAMPLE: dict[str, Any] = {
    "entity": "session", "id": SESSION_EXAMPLE["id"], "revision": SESSION_EXAMPLE["revision"], "deleted": False,
    "updated_at": SESSION_EXAMPLE["updated_at"], "data": SESSION_EXAMPLE,
}  # fmt: skip


class WaitQuery(BaseModel):
    """Query of what everyone polls."""

    wait: int = Field(
        0,
        ge=0,
        le=MAX_ACCEPTED_WAIT_S,
        description="Seconds, at most 25, for which an answer without news is held back; `Prefer: wait=…` says the same.",
    )


class FeedQuery(WaitQuery):
    """Query of a feed page."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Items on the page.")


EVENT_EXAMPLE = (
    'retry: 3127\nid: 1795424720004211\nevent: change\ndata: {"entity":"session","id":190463227641021,"revision":4,"deleted":false,'
    '"updated_at":"2026-11-23T09:05:20.004211Z","data":{"id":190463227641021,"title":"Town hall","status":"active"}}\n\n'
)


class EventsQuery(BaseModel):
    """Query of the stream."""

    since: str = Field("now", description="A cursor or instant after which the stream begins; `Last-Event-ID` wins.")
    ticket: str | None = Field(None, description="Instead of a token, where a browser cannot send one.")


class ClockOut(BaseModel):
    """The server's clock."""

    model_config = example(server_time="2026-11-23T09:05:20.000000Z")

    server_time: Timestamp


class TicketOut(BaseModel):
    """A ticket that opens the stream once."""

    model_config = example(ticket="eyJhbGciOi…", expires_at="2026-11-23T09:06:20.004211Z")

    ticket: str
    expires_at: Timestamp


class SessionStatusOut(BaseModel):
    """The status of a session, which clients poll.

    Participants' `participant_count` is at most 5 s old.

    `near_cap` is for hosts: the responses take four fifths of the session's limit. It does not
    change `last_updated`.
    """

    model_config = example(
        session_id=190463227641021, status="active", current_activity_id="8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4",
        shown_activity_id="8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4", participant_count=212, locked=False,
        last_updated="2026-11-23T09:05:19.730112Z", near_cap=False,
    )  # fmt: skip

    session_id: int
    status: SessionStatus
    current_activity_id: Uuid | None
    shown_activity_id: Uuid | None
    participant_count: int
    locked: bool
    last_updated: Timestamp
    near_cap: bool | None = None


class ActivityStatusOut(BaseModel):
    """The status of an activity, which clients poll. Participants' counts are at most 5 s old."""

    model_config = example(
        activity_id="8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4", status="active", response_count=167, withheld=False,
        last_response_at="2026-11-23T09:05:20.004211Z", last_updated="2026-11-23T09:05:20.004211Z", round=1,
        ends_at="2026-11-23T09:06:12.250417Z", results_revealed=False, secret_revealed=False,
    )  # fmt: skip

    activity_id: Uuid
    status: ActivityStatus
    response_count: int
    withheld: bool = Field(description="Nothing of an anonymous round was released: no, or too few, people have answered.")
    last_response_at: Timestamp | None
    last_updated: Timestamp
    round: int
    ends_at: Timestamp | None
    results_revealed: bool
    secret_revealed: bool


class FeedPageOut(BaseModel):
    """A page of the feed.

    Upsert items by `id`, keep the highest `revision`, and continue from `cursor`.
    """

    since: str
    count: int
    cursor: str = Field(description="16 digits, µs: the place from which to continue; goes into the address as it is.")
    has_more: bool
    epoch: str = Field(description="Name of this life of the database; when it changes, begin again at 0.")
    closed: bool = Field(description="The session is completed and this page is the last one.")
    clamped: bool | None = Field(None, description="True if the position asked for lay in the future and was moved back.")


class ResponseFeedOut(FeedPageOut):
    """Answers of one activity, in the order of their newest change."""

    model_config = example(**PAGE_EXAMPLE)

    items: list[ResponseOut]


class _Change(BaseModel):
    """One change; without `data` the object is gone, or gone for the caller."""

    revision: int
    deleted: bool
    updated_at: Timestamp


class SessionChange(_Change):
    """The session as the caller's own GET shows it."""

    entity: Literal["session"]
    id: int
    data: SessionOut | None


class ActivityChange(_Change):
    """An activity as the caller's own GET shows it; a tombstone stands for its answers as well."""

    entity: Literal["activity"]
    id: Uuid
    data: ActivityOut | None


class ParticipantChange(_Change):
    """A participant. Hosts get all, participants only themselves, screens none."""

    entity: Literal["participant"]
    id: int
    data: ParticipantOut | None


class ResponseChange(_Change):
    """A response: all for hosts, own ones for participants, open activities for screens."""

    entity: Literal["response"]
    id: Uuid
    data: ResponseOut | None


Change = TypeAliasType(
    "Change",
    Annotated[SessionChange | ActivityChange | ParticipantChange | ResponseChange, Field(discriminator="entity")],
)


class ChangeFeedOut(FeedPageOut):
    """Changes of a whole session, in order."""

    model_config = example(**{**PAGE_EXAMPLE, "items": [CHANGE_EXAMPLE]})

    items: list[Change]
