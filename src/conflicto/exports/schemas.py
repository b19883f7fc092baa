"""What an export is asked for with."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

EXAMPLE = "activity,type,round,participant_id,nickname,answer,…\r\nLunch,poll,1,201872554031127,Anna,curry,…\r\n"


class ExportQuery(BaseModel):
    """Query of an export."""

    format: Literal["csv", "xlsx", "jsonl"] = Field(
        "csv", description="`csv` and `xlsx` for spreadsheets; `jsonl`, a JSON object a line, has every answer as it was sent."
    )
    shape: Literal["responses", "table"] = Field(
        "responses", description="A row for each answer, or one for each participant with a cell for each round."
    )
