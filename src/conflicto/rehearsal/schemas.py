"""Request and response bodies of rehearsals."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StrictInt

from conflicto.platform.http.paging import StrictModel, example
from conflicto.platform.http.text_patterns import text_pattern
from conflicto.rehearsal.manager import MAX_BOTS

MAX_DURATION_S = 7_200


class RehearsalIn(StrictModel):
    """Number of scripted participants, duration and language."""

    model_config = example(participants=30, seconds=1_800, language="en")

    participants: StrictInt = Field(30, ge=1, le=MAX_BOTS)
    seconds: StrictInt = Field(1_800, ge=1, le=MAX_DURATION_S, description="Time for which they answer the host's activities.")
    language: Annotated[str, text_pattern(r"^[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?$", "must be a language such as de or pt-BR")] = "en"


class RehearsalOut(BaseModel):
    """A session's rehearsal."""

    model_config = example(participants=30, is_playing=True, skipped=[])

    participants: int = Field(description="Scripted participants with a seat now; they join one by one.")
    is_playing: bool = Field(description="Whether they still answer activities; known to one server only.")
    skipped: list[str] = Field(
        description="Open activities without scripted answers: those of unregistered types, until someone else has answered, "
        "and those for which no valid answer can be generated."
    )
