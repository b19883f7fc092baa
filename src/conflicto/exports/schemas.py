"""What an export is asked for with."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

EXAMPLE = "activity,type,round,participant_id,nickname,answer,…\r\nLunch,poll,1,201872554031127,Anna,Curry,…\r\n"


FILES = {
    "text/csv": ({"description": "RFC 4180 in UTF-8 with a byte order mark."}, EXAMPLE),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
        {"format": "binary", "description": "A workbook."}, None,
    ),
    "application/x-ndjson": (
        {"description": "A JSON object on each line."},
        '{"activity":"Lunch","round":1,"response_data":{"choice":1}}\n',
    ),
}  # fmt: skip


ExportFormat = TypeAliasType("ExportFormat", Literal["csv", "xlsx", "jsonl"])
ExportShape = TypeAliasType("ExportShape", Literal["responses", "long", "table", "wide", "codebook"])


class ExportQuery(BaseModel):
    """Query of an export."""

    format: ExportFormat = Field(
        "csv", description="`csv` and `xlsx` for spreadsheets; `jsonl`, a JSON object a line, has every answer as it was sent."
    )
    shape: ExportShape = Field(
        "responses",
        description="`responses`: a row for each answer. `long`: one for each chosen option, rank or other part of an answer. `table`: one"
        " for each participant with a cell for each round. `wide`: likewise with a cell for each option of a multiple choice, each rank"
        " and each part. `codebook`: one for each option, with its id, its text and whether it is right.",
    )
