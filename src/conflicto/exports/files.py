"""A session's answers as one file of a form and a shape, and what the file is called."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from conflicto.exports.csv import csv_lines
from conflicto.exports.jsonl import jsonl_lines
from conflicto.exports.sheets import Shape, Sheet, codebook, questions_of, sheet_of
from conflicto.exports.xlsx import write_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conflicto.activity_types.registry import Registry
    from conflicto.exports.reading import AnswerReader

    Paced = Callable[[Iterator[Any]], Iterator[Any]]
    """Hands rows or lines on as fast as they may be made."""

ANSWERS = "Answers"
CODEBOOK = "Codebook"
"""Names of the sheets of a workbook."""

LONGEST_NAME = 60
_NOT_IN_NAME = re.compile(r"[\W_]+")


class Form(StrEnum):
    """How the answers are written; the value is the file's ending."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"

    @property
    def media_type(self) -> str:
        """Return what the file is, as HTTP says it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Form.CSV: "text/csv; charset=utf-8; header=present",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.JSONL: "application/x-ndjson",
}


def write_file(reader: AnswerReader, form: Form, shape: Shape, file: BinaryIO, types: Registry, pace: Paced = iter) -> None:
    """Write a session's answers to `file`, row by row, in the snapshot of `reader`; a workbook has the codebook as its last sheet."""
    if form is Form.JSONL:
        file.writelines(pace(jsonl_lines(reader, shape, types)))
        return
    sheet = sheet_of(reader, shape, types)
    sheet = Sheet(sheet.header, pace(sheet.rows))
    if form is Form.CSV:
        file.writelines(csv_lines(sheet))
    elif shape is Shape.CODEBOOK:
        write_xlsx({CODEBOOK: sheet}, file)
    else:
        write_xlsx({ANSWERS: sheet, CODEBOOK: codebook(questions_of(reader.tx, reader.session_id, types))}, file)


def disposition(title: str, session_id: int, form: Form, shape: Shape) -> str:
    """Return the `Content-Disposition` of a download: letters and digits of the title in any script, nothing that a system minds.

    >>> disposition("Größe: 2/3?", 7, Form.CSV, Shape("table")).split("; ")
    ['attachment', 'filename="session-7-table.csv"', "filename*=UTF-8''Gr%C3%B6%C3%9Fe-2-3-table.csv"]
    """
    words = _NOT_IN_NAME.sub("-", title)[:LONGEST_NAME].strip("-") or f"session-{session_id}"
    ending = f"-{shape}.{form}"
    return f"attachment; filename=\"session-{session_id}{ending}\"; filename*=UTF-8''{quote(words + ending, safe='')}"
