"""Query parameters of an export, and the body of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from conflicto.exports.model import JobStatus
from conflicto.platform.http.formats import Timestamp, Uuid
from conflicto.platform.http.paging import example
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from conflicto.exports.model import ExportJob

CSV_EXAMPLE = "activity,type,round,participant_id,nickname,answer,…\r\nLunch,poll,1,201872554031127,Anna,Curry,…\r\n"


FILE_TYPES = {
    "text/csv": ({"description": "RFC 4180 in UTF-8 with a byte order mark."}, CSV_EXAMPLE),
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
    """Query parameters of an export."""

    format: ExportFormat = Field(
        "csv", description="`csv` and `xlsx` for spreadsheets; `jsonl`, a JSON object a line, has every answer as it was sent."
    )
    shape: ExportShape = Field(
        "responses",
        description="`responses`: a row for each answer. `long`: one for each chosen option, rank or other part of an answer. `table`: one"
        " for each participant with a cell for each round. `wide`: likewise with a cell for each option of a multiple choice, each rank"
        " and each part. `codebook`: one for each option, with its id, its text and whether it is right.",
    )


class ExportOut(BaseModel):
    """A job that writes an export."""

    model_config = example(
        id="0d3a1c0e-6d0f-4a43-9a2e-4c1d0f6f5b1e", session_id=84211934077211, format="csv", shape="responses", status="ready",
        responses_read=1_000_000, responses_total=1_000_000, size_bytes=225_443_840,
        url="/api/v1/sessions/84211934077211/exports/0d3a1c0e-6d0f-4a43-9a2e-4c1d0f6f5b1e/file",
        created_at="2026-11-29T09:30:00.000000Z", expires_at="2026-11-29T09:46:12.004211Z",
    )  # fmt: skip

    id: Uuid
    session_id: int
    format: ExportFormat
    shape: ExportShape
    status: JobStatus = Field(description="`running` until the file is whole and it is `ready`, or until it has `failed`.")
    responses_read: int = Field(description="Answers that the file has so far; a workbook is put together after the last one.")
    responses_total: int | None = Field(description="Answers that it will have; null until the snapshot is there.")
    size_bytes: int | None = Field(description="Size of the file once it is `ready`.")
    url: str | None = Field(description="Path of the file once it is `ready`, for the same token.")
    detail: str | None = Field(None, description="Why it has `failed`, and what to do.")
    created_at: Timestamp
    expires_at: Timestamp | None = Field(
        description="When the file and the job are removed, 15 minutes after its end; null while it runs."
    )


def export_out(job: ExportJob, url: str) -> dict[str, Any]:
    """Return a job as JSON; `url` is the address of its file once it is ready."""
    return {
        "id": str(job.id),
        "session_id": job.session_id,
        "format": job.form,
        "shape": job.shape,
        "status": job.status,
        "responses_read": job.responses_read,
        "responses_total": job.responses_total,
        "size_bytes": job.size_bytes,
        "url": url if job.status is JobStatus.READY else None,
        "detail": job.detail,
        "created_at": rfc3339(job.created_us),
        "expires_at": None if job.expires_us is None else rfc3339(job.expires_us),
    }
