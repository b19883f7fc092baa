"""Request and response bodies of seats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictStr, StringConstraints
from typing_extensions import TypeAliasType

from conflicto.participants.nickname import MAX_CHARS
from conflicto.platform.http.formats import Timestamp
from conflicto.platform.http.paging import CURSOR_EXAMPLE, OF_SERVER, SERVER_EXAMPLE, PageOut, StrictModel, example
from conflicto.platform.instants import rfc3339
from conflicto.sessions.schemas import FOR_HOSTS, FOR_HOSTS_AND_SCREENS, SESSION_EXAMPLE, SessionOut

if TYPE_CHECKING:
    from conflicto.participants.model import Participant

NicknameText = Annotated[
    StrictStr, StringConstraints(max_length=128), Field(json_schema_extra={"minLength": 1, "maxLength": MAX_CHARS})
]
"""Nickname with the bound after cleaning; the validated bound is larger, for decomposed letters."""
CodeText = Annotated[StrictStr, StringConstraints(max_length=64)]

Presence = TypeAliasType("Presence", Literal["online", "idle", "disconnected"])
ResponseRetention = TypeAliasType("ResponseRetention", Literal["keep", "delete"])


PARTICIPANT_EXAMPLE: dict[str, Any] = {
    "id": 77120393345120, "session_id": 190463227641021, "nickname": "Anna", "scripted": False, "revision": 1,
    "created_at": "2026-11-23T09:04:59.220417Z", "updated_at": "2026-11-23T09:04:59.220417Z",
}  # fmt: skip

SEAT_EXAMPLE: dict[str, Any] = {
    "participant_id": 77120393345120, "nickname": "Anna", "participant_token": "eyJhbGciOi…",
    "session": {name: value for name, value in SESSION_EXAMPLE.items() if name not in FOR_HOSTS_AND_SCREENS | FOR_HOSTS},
    "retention_days": 30, "server": SERVER_EXAMPLE, "server_time": "2026-11-23T09:04:59.231005Z",
}  # fmt: skip


class JoinIn(StrictModel):
    """Nickname and join code."""

    model_config = example(nickname="Anna", code="BCDF-GHJK")

    nickname: NicknameText
    code: CodeText


class RenameIn(StrictModel):
    """The new name."""

    model_config = example(nickname="Anna Lena")

    nickname: NicknameText


class RedeemIn(StrictModel):
    """The secret of a seat link."""

    model_config = example(seat_token="q3xVbN0dX9m8…")  # noqa: S106 - an example

    seat_token: Annotated[StrictStr, StringConstraints(max_length=128)]


class NicknameQuery(StrictModel):
    """A name to try, and the code of the session."""

    nickname: NicknameText
    code: CodeText


class RemoveQuery(StrictModel):
    """Treatment of the answers of a removed participant."""

    responses: ResponseRetention | None = Field(
        None, description="Default: a removal by the host keeps them, leaving deletes them."
    )


class SeatOut(BaseModel):
    """A seat; `participant_token` is shown only here."""

    model_config = example(**SEAT_EXAMPLE)

    participant_id: int
    nickname: str
    participant_token: str
    session: SessionOut
    retention_days: int | None = Field(description="Days after its end at which the session is deleted; null: only by hand.")
    server: str = Field(description=OF_SERVER)
    server_time: Timestamp


class ParticipantOut(BaseModel):
    """A participant, as hosts see them."""

    model_config = example(**PARTICIPANT_EXAMPLE, presence="online")

    id: int
    session_id: int
    nickname: str
    scripted: bool = Field(description="Whether they belong to a rehearsal.")
    revision: int
    created_at: Timestamp
    updated_at: Timestamp
    presence: Presence | None = Field(None, description="In lists only.")


class NamesOut(BaseModel):
    """Nicknames as the screen shows them, newest first; 60 at most."""

    model_config = example(items=["Cleo", "Anna"])

    items: list[str]


class NicknameOut(BaseModel):
    """Availability of a name, and a free suggestion."""

    model_config = example(available=False, suggested_nickname="Anna 2")

    available: bool
    suggested_nickname: str


class SeatLinkOut(BaseModel):
    """A secret that moves the seat to another phone, once."""

    model_config = example(seat_token="q3xVbN0dX9m8…", expires_at="2026-11-23T09:15:20.000000Z")  # noqa: S106 - an example

    seat_token: str
    expires_at: Timestamp


class HeartbeatOut(BaseModel):
    """The server's clock."""

    model_config = example(server_time="2026-11-23T09:05:20.000000Z")

    server_time: Timestamp


class ParticipantPage(PageOut):
    """A list of participants with presence.

    `places_held` counts people who left and whose place stays reserved until their rounds are over.
    """

    model_config = example(
        items=[{**PARTICIPANT_EXAMPLE, "presence": "online"}],
        total=2,
        limit=1,
        offset=0,
        has_next=True,
        has_prev=False,
        next_cursor=CURSOR_EXAMPLE,
        places_held=0,
    )

    items: list[ParticipantOut]
    places_held: int


def participant_out(participant: Participant) -> dict[str, Any]:
    """Return a participant without presence, which only lists show."""
    return {
        "id": participant.id,
        "session_id": participant.session_id,
        "nickname": participant.nickname,
        "scripted": participant.scripted,
        "revision": participant.revision,
        "created_at": rfc3339(participant.created_ts),
        "updated_at": rfc3339(participant.updated_ts),
    }
