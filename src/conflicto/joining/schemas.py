"""Request and response bodies of joining."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictStr, StringConstraints

from conflicto.participants.schemas import PARTICIPANT_EXAMPLE, NicknameText, ParticipantOut
from conflicto.platform.http.formats import Timestamp
from conflicto.platform.http.paging import CURSOR_EXAMPLE, OF_SERVER, SERVER_EXAMPLE, PageOut, StrictModel, example
from conflicto.sessions.model import SessionStatus
from conflicto.sessions.schemas import FOR_HOSTS, FOR_HOSTS_AND_SCREENS, SESSION_EXAMPLE, SessionOut

CodeText = Annotated[StrictStr, StringConstraints(max_length=64)]

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


class RedeemIn(StrictModel):
    """The secret of a seat link."""

    model_config = example(seat_token="q3xVbN0dX9m8…")  # noqa: S106 - an example

    seat_token: Annotated[StrictStr, StringConstraints(max_length=128)]


class NicknameQuery(StrictModel):
    """A name to try, and the code of the session."""

    nickname: NicknameText
    code: CodeText


class LobbyOut(BaseModel):
    """Public properties of a session, for anyone with its join code."""

    model_config = example(session_id=190463227641021, title="Town hall", status="active")

    session_id: int
    title: str
    status: SessionStatus


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


class NicknameOut(BaseModel):
    """Availability of a name, and a free suggestion."""

    model_config = example(available=False, suggested_nickname="Anna 2")

    available: bool
    suggested_nickname: str


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
