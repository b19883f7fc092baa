"""What rehearsals look like on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StrictInt, StringConstraints

from conflicto.platform.http.paging import StrictModel, example
from conflicto.rehearsal.manager import MAX_BOTS

MAX_DURATION_S = 7_200


class RehearsalIn(StrictModel):
    """How many people come, for how long, and in which language they write."""

    model_config = example(participants=30, seconds=1_800, language="en")

    participants: StrictInt = Field(30, ge=1, le=MAX_BOTS)
    seconds: StrictInt = Field(1_800, ge=1, le=MAX_DURATION_S, description="How long they answer what the host opens.")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?$")] = "en"


class RehearsalOut(BaseModel):
    """A session's rehearsal."""

    model_config = example(participants=30, is_playing=True, skipped=[])

    participants: int = Field(description="Scripted participants with a seat now; those who were begun with come one by one.")
    is_playing: bool = Field(description="Whether they answer what the host opens, at the server that was asked.")
    skipped: list[str] = Field(
        description="Open activities of types that nobody registered: answered as soon as someone else has, by repeating."
    )
