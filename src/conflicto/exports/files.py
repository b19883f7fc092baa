"""Export files: format, name and content."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from conflicto.exports.csv import csv_lines
from conflicto.exports.jsonl import jsonl_lines
from conflicto.exports.sheets import Shape, Sheet, build_sheet, codebook_sheet, session_questions
from conflicto.exports.xlsx import write_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conflicto.activity_types.registry import Registry
    from conflicto.exports.reader import ResponseReader

    Paced = Callable[[Iterator[Any]], Iterator[Any]]
    """A wrapper that limits the rate at which rows or lines are produced."""

RESPONSES_SHEET = "Answers"
CODEBOOK_SHEET = "Codebook"
"""Names of a workbook's sheets."""

MAX_NAME_CHARS = 60
_NOT_IN_NAME = re.compile(r"[\W_]+")


class FileFormat(StrEnum):
    """File formats; the value is the file extension."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"

    @property
    def media_type(self) -> str:
        """Return the media type."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    FileFormat.CSV: "text/csv; charset=utf-8; header=present",
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.JSONL: "application/x-ndjson",
}


def write_file(reader: ResponseReader, form: FileFormat, shape: Shape, file: BinaryIO, types: Registry, pace: Paced = iter) -> None:
    """Write a session's answers to `file` row by row, in the snapshot of `reader`.

    A workbook has the codebook as its last sheet.
    """
    if form is FileFormat.JSONL:
        file.writelines(pace(jsonl_lines(reader, shape, types)))
        return
    sheet = build_sheet(reader, shape, types)
    sheet = Sheet(sheet.header, pace(sheet.rows))
    if form is FileFormat.CSV:
        file.writelines(csv_lines(sheet))
    elif shape is Shape.CODEBOOK:
        write_xlsx({CODEBOOK_SHEET: sheet}, file)
    else:
        write_xlsx(
            {RESPONSES_SHEET: sheet, CODEBOOK_SHEET: codebook_sheet(session_questions(reader.tx, reader.session_id, types))}, file
        )


def content_disposition(title: str, session_id: int, form: FileFormat, shape: Shape) -> str:
    """Return the `Content-Disposition` of a download.

    Its name keeps letters and digits of the title in any script and replaces everything else.

    >>> content_disposition("2/3?", 7, FileFormat.CSV, Shape("table")).split("; ")
    ['attachment', 'filename="session-7-table.csv"', "filename*=UTF-8''2-3-table.csv"]
    >>> content_disposition("Größe", 7, FileFormat.CSV, Shape("table")).rpartition("''")[2]
    'Gr%C3%B6%C3%9Fe-table.csv'
    """
    words = _NOT_IN_NAME.sub("-", title)[:MAX_NAME_CHARS].strip("-") or f"session-{session_id}"
    ending = f"-{shape}.{form}"
    return f"attachment; filename=\"session-{session_id}{ending}\"; filename*=UTF-8''{quote(words + ending, safe='')}"
