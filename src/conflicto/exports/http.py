"""Endpoints of exports."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from conflicto.access.roles import HOSTS
from conflicto.exports import schemas
from conflicto.exports.download import Download, requested_range
from conflicto.exports.errors import ExportBusy, ExportFailed, ExportNotReady, ExportUnknown
from conflicto.exports.files import FileFormat, content_disposition
from conflicto.exports.model import ExportJob, JobStatus
from conflicto.exports.output import ExportStopped
from conflicto.exports.service import Exports
from conflicto.exports.sheets import Shape
from conflicto.platform.clock import Clock
from conflicto.platform.http.messages import NO_STORE, Response, json_response
from conflicto.platform.http.request_body import ClientDisconnected
from conflicto.platform.http.routes import PREFIX, Docs, Route, route
from conflicto.platform.ids import random_uuid
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import DomainError, InvalidInput
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from enum import StrEnum

    from conflicto.exports.writer import RunningExport
    from conflicto.platform.http.messages import Header, Request

    Choice = TypeVar("Choice", bound=StrEnum)

EXPORT = Policy("export", 30, 60, shared=True)
"""Rate limit of exports: a person may try every format a few times."""

EXPORT_JOB = Policy("export-job", 120, 60, shared=True)
"""Rate limit of job requests: four pages may each poll a job every two seconds."""

MAX_WAIT_S = 10
"""Seconds that a request waits for the file; then the job goes on in the background.

The least patient proxies give up after 30 s.
"""

RETRY_AFTER_S = 2
"""Seconds between two polls of a running job."""

_ASYNC = re.compile(r"(?:^|[,;])[ \t]{0,8}respond-async[ \t]{0,8}(?:$|[,;=])", re.IGNORECASE | re.ASCII)
_WAIT = re.compile(r'(?:^|[,;])[ \t]{0,8}wait[ \t]{0,8}=[ \t]{0,8}"?([0-9]{1,6})"?', re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ExportEndpoints:
    """Endpoints of exports."""

    exports: Exports
    clock: Clock
    prefix: str
    """Path prefix of the public URL, for addresses in bodies."""

    async def export(self, request: Request, query: schemas.ExportQuery) -> Response:
        """Download a session's answers, all rounds, from one snapshot.

        An export that takes longer than 10 seconds becomes a job: 202 with its address. The job
        shows the progress and later has the file. `Prefer: respond-async` requests a job at once,
        with `wait=N` after N seconds.

        Answers to anonymous activities have no author. In `csv`, text that a spreadsheet might run
        as a formula begins with an apostrophe; in `xlsx` it is text. Spreadsheets show the texts of
        options, and `xlsx` has the codebook as another sheet. In the shapes `responses` and
        `table`, `jsonl` holds everything as it was sent.
        """
        form, shape = FileFormat(query.format), Shape(query.shape)
        session = await self.exports.jobs.db.read(session_by_id, request.params["session_id"])
        job = ExportJob(
            id=random_uuid(), session_id=session.id, title=session.title, form=form, shape=shape, created_us=self.clock.wall_us()
        )  # fmt: skip
        writing = await self.exports.writer.start(job)
        seconds, applied = preferred_wait(request.header(b"prefer"))
        if not await self._wait(request, writing, seconds):
            await asyncio.to_thread(self.exports.jobs.folder.remove_oldest, session.id)
            location = (b"location", _job_path(job).encode())
            return self._job_response(writing.job, 202, (location, *applied))
        file = await asyncio.to_thread(self.exports.jobs.folder.pop, job.id)
        if file is None:
            raise ExportUnknown
        return _direct_response(job, file)

    async def read(self, request: Request) -> Response:
        """Read the progress of an export, and the address of its file once it is `ready`."""
        return self._job_response(await self.exports.jobs.find(request.params["session_id"], request.params["export_id"]), 200)

    async def download(self, request: Request) -> Response:
        """Download the file of an export that is `ready`, for 15 minutes.

        An interrupted download resumes with `Range: bytes=N-` and the file's `ETag` in `If-Range`:
        206 with the rest.
        """
        job, file = await self.exports.jobs.open(request.params["session_id"], request.params["export_id"])
        return _file_response(request, job, file)

    async def remove(self, request: Request) -> Response:
        """Remove an export and its file; a running export stops."""
        await self.exports.jobs.remove(request.params["session_id"], request.params["export_id"])
        return Response(204, headers=(NO_STORE,))

    async def _wait(self, request: Request, writing: RunningExport, seconds: int) -> bool:
        try:
            with request.on_disconnect(writing.cancel):
                return await self.exports.writer.wait(writing, seconds)
        except ExportStopped:
            await asyncio.to_thread(self.exports.jobs.folder.remove, writing.job.id)
            raise ClientDisconnected from None
        except (DomainError, OSError):
            await asyncio.to_thread(self.exports.jobs.folder.remove, writing.job.id)
            raise

    def _job_response(self, job: ExportJob, status: int, headers: tuple[Header, ...] = ()) -> Response:
        if job.status is JobStatus.RUNNING:
            headers += ((b"retry-after", b"%d" % RETRY_AFTER_S),)
        out = schemas.export_out(job, f"{self.prefix}{_job_path(job)}/file")
        return json_response(out, status=status, headers=(NO_STORE, *headers))


def preferred_wait(preferences: str | None) -> tuple[int, tuple[Header, ...]]:
    """Return the seconds to wait for the file, and the `Preference-Applied` header (RFC 7240).

    >>> preferred_wait("respond-async, wait=2")
    (2, ((b'preference-applied', b'respond-async, wait=2'),))
    >>> preferred_wait("wait=600"), preferred_wait(None)
    ((10, ()), (10, ()))
    """
    value = _WAIT.search(preferences or "")
    seconds = min(int(value[1]), MAX_WAIT_S) if value else None
    if not _ASYNC.search(preferences or ""):
        return (MAX_WAIT_S if seconds is None else seconds), ()
    applied = b"respond-async" if seconds is None else b"respond-async, wait=%d" % seconds
    return seconds or 0, ((b"preference-applied", applied),)


def _job_path(job: ExportJob) -> str:
    return f"{PREFIX}/sessions/{job.session_id}/exports/{job.id}"


def _direct_response(job: ExportJob, file: BinaryIO) -> Response:
    response = Response(200, b"", _file_headers(job))
    response.stream = Download(file).send
    return response


def _file_response(request: Request, job: ExportJob, file: BinaryIO) -> Response:
    """Return the file of a job or the requested range; the ETag is the job's id."""
    size, tag = job.size_bytes or 0, f'"{job.id}"'
    part = requested_range(request, tag, size)
    selected = range(size) if part is None else part
    headers = *_file_headers(job), (b"etag", tag.encode()), (b"accept-ranges", b"bytes")
    if part is not None:
        headers += ((b"content-range", b"bytes %d-%d/%d" % (part[0], part[-1], size)),)
    response = Response(200 if part is None else 206, b"", headers)
    response.stream = Download(file, selected.start, len(selected)).send
    return response


def _file_headers(job: ExportJob) -> tuple[Header, ...]:
    form = FileFormat(job.form)
    disposition = content_disposition(job.title, job.session_id, form, Shape(job.shape))
    return (b"content-type", form.media_type.encode()), (b"content-disposition", disposition.encode()), NO_STORE


def routes(exports: ExportEndpoints) -> list[Route]:
    """Return the routes of this package."""
    job = "/sessions/{session_id:int}/exports/{export_id:uuid}"
    return [
        route("GET", "/sessions/{session_id:int}/export", exports.export, roles=HOSTS, policy=EXPORT, tag="sessions", streams=True,
              docs=Docs(summary="Download the answers", responses={200: None, 202: schemas.ExportOut},
                        headers=("Prefer",), files=schemas.FILE_TYPES, response_headers=("Content-Disposition",),
                        problems=(ExportBusy, InvalidInput))),
        route("GET", job, exports.read, roles=HOSTS, policy=EXPORT_JOB, tag="sessions",
              docs=Docs(summary="Read the progress of an export", responses={200: schemas.ExportOut}, response_headers=("Retry-After",),
                        problems=(ExportUnknown,))),
        route("GET", f"{job}/file", exports.download, roles=HOSTS, policy=EXPORT, tag="sessions", streams=True,
              docs=Docs(summary="Download the file of an export", responses={200: None, 206: None}, headers=("Range", "If-Range"),
                        files=schemas.FILE_TYPES, response_headers=("Content-Disposition", "ETag", "Accept-Ranges", "Content-Range"),
                        problems=(ExportUnknown, ExportNotReady, ExportFailed))),
        route("DELETE", job, exports.remove, roles=HOSTS, policy=EXPORT_JOB, tag="sessions",
              docs=Docs(summary="Remove an export", responses={204: None}, problems=(ExportUnknown,))),
    ]  # fmt: skip
