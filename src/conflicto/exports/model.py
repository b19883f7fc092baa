"""Model of an export job, stored as JSON and shared by all processes of the machine."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec


class JobStatus(StrEnum):
    """States of a job; `ready` and `failed` are final."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class ExportJob(msgspec.Struct, frozen=True, kw_only=True):
    """State of a job. Times are µs since 1970; `snapshot_ts` is the feed position of the snapshot.

    `responses_total` is None until the snapshot exists, `size_bytes` until the file is complete,
    `expires_us` until the job has ended. `detail` says why the job failed and what to do.
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
