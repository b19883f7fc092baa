"""An export job: a file that is being written or waits to be downloaded, as every process of the machine reads it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec


class JobStatus(StrEnum):
    """The states of a job: it ends as one of the last two."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class ExportJob(msgspec.Struct, frozen=True, kw_only=True):
    """State of a job. Times are µs since 1970; `snapshot_ts` is the position of the session's feed that the file holds.

    `responses_total` is None until the snapshot is there, `size_bytes` until the file is whole, `expires_us` until the job has ended.
    `detail` says why it failed and what to do.
    """

    id: UUID
    session_id: int
    title: str
    form: str
    shape: str
    created_us: int
    status: JobStatus = JobStatus.RUNNING
    snapshot_ts: int = 0
    responses_read: int = 0
    responses_total: int | None = None
    size_bytes: int | None = None
    expires_us: int | None = None
    detail: str | None = None
