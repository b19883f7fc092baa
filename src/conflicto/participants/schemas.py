"""Request and response bodies of seats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictStr, StringConstraints
from typing_extensions import TypeAliasType

from conflicto.participants.nickname import MAX_CHARS
from conflicto.platform.http.formats import Timestamp
from conflicto.platform.http.paging import StrictModel, example
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from conflicto.participants.model import Participant

NicknameText = Annotated[
    StrictStr, StringConstraints(max_length=128), Field(json_schema_extra={"minLength": 1, "maxLength": MAX_CHARS})
]
"""Nickname with the bound after cleaning; the validated bound is larger, for decomposed letters."""

Presence = TypeAliasType("Presence", Literal["online", "idle", "disconnected"])
ResponseRetention = TypeAliasType("ResponseRetention", Literal["keep", "delete"])


PARTICIPANT_EXAMPLE: dict[str, Any] = {
    "id": 77120393345120, "session_id": 190463227641021, "nickname": "Anna", "scripted": False, "revision": 1,
    "created_at": "2026-11-23T09:04:59.220417Z", "updated_at": "2026-11-23T09:04:59.220417Z",
}  # fmt: skip


class RenameIn(StrictModel):
    """The new name."""

    model_config = example(nickname="Anna Lena")

    nickname: NicknameText


class RemoveQuery(StrictModel):
    """Treatment of the answers of a removed participant."""

    responses: ResponseRetention | None = Field(
        None, description="Default: a removal by the host keeps them, leaving deletes them."
    )


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


class SeatLinkOut(BaseModel):
    """A secret that moves the seat to another phone, once."""

    model_config = example(seat_token="q3xVbN0dX9m8…", expires_at="2026-11-23T09:15:20.000000Z")  # noqa: S106 - an example

    seat_token: str
    expires_at: Timestamp


class HeartbeatOut(BaseModel):
    """The server's clock."""

    model_config = example(server_time="2026-11-23T09:05:20.000000Z")

    server_time: Timestamp


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
