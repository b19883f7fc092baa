"""Storage of jobs and their files, in a private folder shared by all processes of a machine.

A job has two files. `ID.json` is its state, which is replaced atomically; `ID.data` holds the
export. The writer locks `ID.data` while the job runs, and the lock ends with the process. A job
with status `running` but without a lock was therefore interrupted. Removing the files cancels a
job: its writer finds no state to replace and stops.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

import msgspec

from conflicto.exports.model import ExportJob, JobStatus
from conflicto.platform.ids import opaque_secret
from conflicto.platform.instants import US_PER_S
from conflicto.platform.sizes import GIB

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.platform.clock import Clock

MAX_JOB_AGE_S = 900
"""Age at which a finished job is removed, with its file."""

MAX_FILES = 16
MAX_FILES_PER_SESSION = 3
MAX_FOLDER_BYTES = 8 * GIB
"""Total size of finished files; beyond it the oldest are removed."""

MAX_ORPHAN_AGE_S = 60
"""Age at which a file without a job is removed: the job was cancelled, or its process died."""

INTERRUPTED = "The server stopped while it wrote the file. Ask for the export again."

STATE_SUFFIX = ".json"

_JOB_FILE_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:json|data|[A-Za-z0-9_-]{8})")
"""Names of job files: the state, the data, and a state that is being written."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ExportJob).decode


class JobFolder:
    """The jobs of a machine. Every method does blocking I/O: call it in a thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def create(self, job: ExportJob) -> BinaryIO:
        """Return the empty file of a new job, locked until it is closed.

        Raises:
            OSError: the file cannot be written.
        """
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(self._data_path(job.id), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._write_state(job)
        except BaseException:
            file.close()
            self.remove(job.id)
            raise
        return file

    def replace(self, job: ExportJob) -> bool:
        """Replace the state of a job; return False if the job was removed, which cancels it."""
        data = self._data_path(job.id)
        if data.exists():
            self._write_state(job)
            if data.exists():  # `remove` deletes the data before the state
                return True
        self.remove(job.id)
        return False

    def finish(self, job: ExportJob, size_bytes: int) -> bool:
        """Set a job to `ready`, so that its file can be downloaded. Returns as `replace` does."""
        expires_us = self._expires_us()
        return self.replace(msgspec.structs.replace(job, status=JobStatus.READY, size_bytes=size_bytes, expires_us=expires_us))

    def fail(self, job: ExportJob, detail: str) -> ExportJob | None:
        """Set a job to `failed`, remove its file and return it; None if the job was removed."""
        failed = msgspec.structs.replace(
            job, status=JobStatus.FAILED, detail=detail, size_bytes=None, expires_us=self._expires_us()
        )
        if not self._state_path(job.id).exists():
            self.remove(job.id)
            return None
        self._write_state(failed)
        self._data_path(job.id).unlink(missing_ok=True)
        return failed

    def find(self, job_id: UUID) -> ExportJob | None:
        """Return a job, None if it does not exist or has expired."""
        job = self._read(job_id)
        if job is not None and job.status is JobStatus.RUNNING and not self._is_locked(job_id):
            job = self._read(job_id)  # the job may have finished in between
            if job is not None and job.status is JobStatus.RUNNING:
                return self.fail(job, INTERRUPTED)
        if job is not None and job.expires_us is not None and job.expires_us <= self._clock.wall_us():
            self.remove(job_id)
            return None
        return job

    def open(self, job_id: UUID) -> BinaryIO | None:
        """Return the file of a job, None if it is gone."""
        try:
            return self._data_path(job_id).open("rb")
        except FileNotFoundError:
            return None

    def pop(self, job_id: UUID) -> BinaryIO | None:
        """Return the file of a job as `open` does, and remove the job."""
        file = self.open(job_id)
        self.remove(job_id)
        return file

    def remove(self, job_id: UUID) -> None:
        """Remove a job and its file; running downloads still get the whole file."""
        for path in (self._data_path(job_id), self._state_path(job_id)):
            path.unlink(missing_ok=True)

    def remove_if_ready(self, job_id: UUID) -> None:
        """Remove a job that has a file; failed jobs stay until they expire."""
        job = self._read(job_id)
        if job is not None and job.status is JobStatus.READY:
            self.remove(job_id)

    def jobs(self) -> list[ExportJob]:
        """Return all jobs, without the expired ones, which are removed."""
        found = [
            self.find(job_id) for path in self._paths() if path.suffix == STATE_SUFFIX and (job_id := _job_id(path)) is not None
        ]
        return [job for job in found if job is not None]

    def remove_orphans(self) -> None:
        """Remove old files without a job; newer ones may belong to a job that is being created."""
        newest_s = self._clock.wall_us() / US_PER_S - MAX_ORPHAN_AGE_S
        for path in self._paths():
            job_id = _job_id(path)
            if job_id is not None and not self._state_path(job_id).exists():
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < newest_s:
                        path.unlink()

    def remove_oldest(self, session_id: int, more: int = 0, more_bytes: int = 0) -> None:
        """Remove the oldest files until `more` further ones fit the limits.

        The limits are those of the session and of the folder.
        """
        ready = sorted((job for job in self.jobs() if job.status is JobStatus.READY), key=lambda job: job.created_us)
        own = [job for job in ready if job.session_id == session_id]
        removed = own[: max(0, len(own) + more - MAX_FILES_PER_SESSION)]
        remaining = [job for job in ready if job not in removed]
        while remaining and (
            len(remaining) + more > MAX_FILES or sum(job.size_bytes or 0 for job in remaining) + more_bytes > MAX_FOLDER_BYTES
        ):
            removed.append(remaining.pop(0))
        for job in removed:
            self.remove(job.id)

    def _paths(self) -> list[Path]:
        try:
            return list(self._path.iterdir())
        except FileNotFoundError:
            return []

    def _read(self, job_id: UUID) -> ExportJob | None:
        try:
            return _decode(self._state_path(job_id).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None

    def _expires_us(self) -> int:
        return self._clock.wall_us() + MAX_JOB_AGE_S * US_PER_S

    def _write_state(self, job: ExportJob) -> None:
        partial = self._path / f"{job.id}.{opaque_secret(6)}"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_encode(job))
        partial.replace(self._state_path(job.id))

    def _is_locked(self, job_id: UUID) -> bool:
        """Return whether a writer holds the lock of a job's file."""
        try:
            with self._data_path(job_id).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _state_path(self, job_id: UUID) -> Path:
        return self._path / f"{job_id}{STATE_SUFFIX}"

    def _data_path(self, job_id: UUID) -> Path:
        return self._path / f"{job_id}.data"


def _job_id(path: Path) -> UUID | None:
    """Return the job id in a file name, None for other files."""
    found = _JOB_FILE_NAME.fullmatch(path.name)
    return UUID(found[1]) if found else None
