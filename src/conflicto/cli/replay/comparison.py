"""Comparison of the server's responses with the file, pure: table, seats and feed items in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.cli.replay.table import Table


class FeedItem(msgspec.Struct, frozen=True):
    """The compared part of a response in the feed; `response_data` is the server's bytes."""

    id: str
    participant_id: int | None
    deleted: bool
    updated_at: str
    response_data: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference between file and server.

    `row` counts the rows below the header from 1; None means no row of the file.
    """

    column: str
    row: int | None
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Number of compared cells, and the mismatches."""

    cells: int
    mismatches: tuple[Mismatch, ...]


def answer_text(cell: str) -> str:
    """Return the `response_data` of a cell's JSON text: `7` → `{"value":7}`."""
    return f'{{"value":{cell}}}'


def compare(table: Table, seats: Sequence[int], feeds: Sequence[Sequence[FeedItem]]) -> Report:
    """Compare every cell with the feed of its column; `seats` are the participant ids by row.

    The texts must be equal byte for byte. Unknown or repeated answers and a feed out of order are
    mismatches too.
    """
    mismatches: list[Mismatch] = []
    for index, (name, feed) in enumerate(zip(table.columns, feeds, strict=True)):
        mismatches += _column(name, {seats[row]: (row + 1, cell) for row, cell in table.column(index)}, feed)
    return Report(table.cells, tuple(mismatches))


def _column(name: str, expected: dict[int, tuple[int, str]], feed: Sequence[FeedItem]) -> list[Mismatch]:
    mismatches: list[Mismatch] = []
    left = dict(expected)
    last = ""
    for item in feed:
        found = bytes(item.response_data).decode()
        row, cell = left.pop(item.participant_id or 0, (None, None))
        expected_text = None if cell is None else answer_text(cell)
        if item.deleted or found != expected_text:
            mismatches.append(Mismatch(name, row, expected_text, found))
        elif item.updated_at <= last:
            mismatches.append(Mismatch(name, row, f"after {last}", f"at {item.updated_at}"))
        last = item.updated_at
    mismatches += [Mismatch(name, row, answer_text(cell), None) for row, cell in left.values()]
    return mismatches


def tally(feed: Sequence[FeedItem]) -> Counter[str]:
    """Count the values (as JSON texts) of a feed; other answers count by their whole text."""
    counts: Counter[str] = Counter()
    for item in feed:
        counts[value_of(bytes(item.response_data).decode())] += 1
    return counts


def value_of(answer: str) -> str:
    """Return the JSON text of the value in an answer: `{"value":7}` → `7`."""
    whole = answer.startswith('{"value":') and answer.endswith("}")
    return answer[len('{"value":') : -1] if whole else answer
