"""The endpoint of exports, on the data plane: its answers are streams."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from conflicto.access.roles import HOSTS
from conflicto.exports import schemas
from conflicto.exports.errors import ExportBusy
from conflicto.exports.files import Form, disposition
from conflicto.exports.sheets import Shape
from conflicto.exports.writing import ExportDesk, Job, Stopped
from conflicto.platform.http.body import ClientGone
from conflicto.platform.http.messages import NO_STORE, Answer
from conflicto.platform.http.routes import Docs, Route, data
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from enum import StrEnum

    from conflicto.platform.http.messages import Call, Write

    Choice = TypeVar("Choice", bound=StrEnum)

EXPORT = Policy("export", 30, 60, shared=True)
"""A person who tries every format a few times over."""

PART = 65_536


@dataclass(frozen=True, slots=True)
class ExportEndpoints:
    """A session's answers as a file."""

    desk: ExportDesk

    async def export(self, call: Call) -> Answer:
        """Download a session's answers, all rounds, as they were at one moment.

        Answers to anonymous activities have no author. In `csv`, text that a spreadsheet might run as a formula has an apostrophe before
        it; in `xlsx` it is text. Spreadsheets show the texts of options, and `xlsx` has the codebook as a further sheet; in the shapes
        `responses` and `table`, `jsonl` holds everything as it was sent.
        """
        form, shape = _chosen(call, "format", Form.CSV), _chosen(call, "shape", Shape.RESPONSES)
        job = Job(call.params["session_id"], form, shape)
        try:
            with call.gone(job.end):
                title, file = await self.desk.written(job)
        except Stopped:
            raise ClientGone from None
        said = disposition(title, job.session_id, form, shape)
        answer = Answer(200, b"", ((b"content-type", form.media_type.encode()), (b"content-disposition", said.encode()), NO_STORE))
        answer.stream = Download(file).send
        return answer


class Download:
    """A file on its way, closed when it was sent or is not wanted any more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        weakref.finalize(self, file.close)

    async def send(self, write: Write) -> None:
        """Write the file part by part, as quickly as the other side reads."""
        with self._file:
            while part := await asyncio.to_thread(self._file.read, PART):
                await write(part)


def _chosen(call: Call, name: str, default: Choice) -> Choice:
    kind = type(default)
    said = call.query(name)
    if said is None:
        return default
    if said not in kind.__members__.values():
        raise InvalidInput(errors=(FieldError(f"/query/{name}", f"must be one of {', '.join(kind)}"),))
    return kind(said)


def routes(exports: ExportEndpoints) -> list[Route]:
    """Return the rows of the contract that this room serves."""
    return [
        data("GET", "/sessions/{session_id}/export", exports.export, who=HOSTS, policy=EXPORT, tag="sessions",
             docs=Docs(summary="Download the answers", gives={200: None}, query=schemas.ExportQuery,
                       files=schemas.FILES, sends=("Content-Disposition",), problems=(ExportBusy, InvalidInput))),
    ]  # fmt: skip
