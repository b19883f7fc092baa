"""Access to jobs: checks the session and deletions that make a file outdated."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import structlog

from conflicto.exports.errors import ExportFailed, ExportNotReady, ExportUnknown
from conflicto.exports.model import JobStatus
from conflicto.exports.queries import is_outdated
from conflicto.platform.problems import DomainError, NotFound

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.exports.folder import JobFolder
    from conflicto.exports.model import ExportJob
    from conflicto.platform.db.engine import Database

SWEEP_INTERVAL_S = 30.0
"""Interval of the search for jobs to remove."""

OUTDATED = "Something that the file holds was deleted after it was written. Ask for the export again."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExportJobs:
    """Reads and removes the jobs of this machine."""

    db: Database
    folder: JobFolder
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, session_id: int, job_id: UUID) -> ExportJob:
        """Return a job of a session. A job whose file holds deleted data becomes `failed`.

        Raises:
            ExportUnknown: this machine has no such job.
            NotFound: the session was deleted.
        """
        job = await asyncio.to_thread(self.folder.find, job_id)
        if job is None or job.session_id != session_id:
            raise ExportUnknown
        if await self.db.read(is_outdated, job):
            job = await asyncio.to_thread(self.folder.fail, job, OUTDATED)
            if job is None:
                raise ExportUnknown
        return job

    async def open(self, session_id: int, job_id: UUID) -> tuple[ExportJob, BinaryIO]:
        """Return a job that is ready, and its file.

        Raises:
            ExportUnknown: this machine has no such job.
            ExportNotReady: the file is still being written.
            ExportFailed: the job has failed.
        """
        job = await self.find(session_id, job_id)
        if job.status is JobStatus.RUNNING:
            raise ExportNotReady
        if job.status is JobStatus.FAILED:
            raise ExportFailed(job.detail)
        file = await asyncio.to_thread(self.folder.open, job_id)
        if file is None:
            raise ExportUnknown
        return job, file

    async def remove(self, session_id: int, job_id: UUID) -> None:
        """Remove a job and its file, which stops a running job; raises as `find` does."""
        await self.find(session_id, job_id)
        await asyncio.to_thread(self.folder.remove, job_id)

    def request_sweep(self) -> None:
        """Start the next sweep now, as a session was deleted."""
        self._wake.set()

    async def run(self) -> None:
        """Remove expired, outdated and orphaned files until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._sweep()
            except (DomainError, OSError) as error:
                log.warning("exports-not-swept", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_INTERVAL_S):
                    await self._wake.wait()

    async def _sweep(self) -> None:
        for job in await asyncio.to_thread(self.folder.jobs):
            try:
                if await self.db.read(is_outdated, job):
                    await asyncio.to_thread(self.folder.fail, job, OUTDATED)
            except NotFound:
                await asyncio.to_thread(self.folder.remove, job.id)
        await asyncio.to_thread(self.folder.remove_orphans)
