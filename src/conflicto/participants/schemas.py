"""What seats look like on the wire, in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictStr, StringConstraints

from conflicto.platform.http.paging import In
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from conflicto.participants.model import Participant

NicknameText = Annotated[StrictStr, StringConstraints(max_length=128)]
CodeText = Annotated[StrictStr, StringConstraints(max_length=64)]


class JoinIn(In):
    """Who wants in, and the code that they were shown."""

    nickname: NicknameText
    code: CodeText


class RenameIn(In):
    """The new name."""

    nickname: NicknameText


class RedeemIn(In):
    """The secret of a seat link."""

    seat_token: Annotated[StrictStr, StringConstraints(max_length=128)]


class NicknameQuery(In):
    """A name to try, and the code of the session."""

    nickname: NicknameText
    code: CodeText


class RemoveQuery(In):
    """What happens to the answers of someone who goes."""

    responses: Literal["keep", "delete"] | None = Field(
        None, description="A kick keeps them, leaving deletes them, unless said here."
    )


class SeatOut(BaseModel):
    """A seat that was given; `participant_token` is shown here only."""

    participant_id: int
    nickname: str
    participant_token: str
    session: dict[str, Any]
    server_time: str


class ParticipantOut(BaseModel):
    """A participant, as hosts see them."""

    id: int
    session_id: int
    nickname: str
    revision: int
    created_at: str
    updated_at: str
    presence: str | None = None
    last_seen_at: str | None = None


class MeOut(BaseModel):
    """One's own seat and answers."""

    id: int
    session_id: int
    nickname: str
    revision: int
    created_at: str
    updated_at: str
    responses: list[Any]


class NicknameOut(BaseModel):
    """Whether a name is free, and one that is."""

    available: bool
    suggested_nickname: str


class SeatLinkOut(BaseModel):
    """A secret that moves the seat to another phone, once."""

    seat_token: str
    expires_at: str


class HeartbeatOut(BaseModel):
    """The server's clock."""

    server_time: str


def participant_out(participant: Participant) -> dict[str, Any]:
    """Return a participant without what changes by itself: presence is told in the list only."""
    return {
        "id": participant.id,
        "session_id": participant.session_id,
        "nickname": participant.nickname,
        "revision": participant.revision,
        "created_at": rfc3339(participant.created_ts),
        "updated_at": rfc3339(participant.updated_ts),
    }
