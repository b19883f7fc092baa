"""Sheets of a session, streamed from one snapshot.

Memory grows with participants and activities, not with answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from conflicto.activities.queries import activities_in_order, activity_with_content, counts_by_round
from conflicto.activities.session_types.loader import load_types
from conflicto.exports.layouts import anonymous_row, headings_of, is_anonymous, seat_rows, table_blocks, wide_blocks
from conflicto.exports.questions import Question, anonymous_response, export_question
from conflicto.exports.rows import CODEBOOK_COLUMNS, LONG_COLUMNS, RESPONSE_COLUMNS, codebook_rows, long_rows, response_row
from conflicto.participants.queries import every_seat

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conflicto.activities.model import Activity
    from conflicto.activity_types.registry import Registry
    from conflicto.exports.cells import Cell
    from conflicto.exports.layouts import ColumnBlock
    from conflicto.exports.reader import ResponseReader
    from conflicto.participants.model import Participant
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse

MAX_SEATS_PER_BATCH = 500
MAX_RESPONSES_PER_BATCH = 5_000
"""Answers of a batch of participants that are in memory together, a few MB."""


class Shape(StrEnum):
    """Shapes of an export: the meaning of a row.

    It is an answer, a part of one, a participant with a cell per round or per part, or an option.
    """

    RESPONSES = "responses"
    LONG = "long"
    TABLE = "table"
    WIDE = "wide"
    CODEBOOK = "codebook"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A header and its rows, which are iterated once, inside the transaction."""

    header: Sequence[str]
    rows: Iterator[list[Cell]]


def build_sheet(reader: ResponseReader, shape: Shape, types: Registry) -> Sheet:
    """Return a session's sheet in one of the shapes."""
    questions = session_questions(reader.tx, reader.session_id, types)
    if shape is Shape.CODEBOOK:
        return codebook_sheet(questions)
    if shape is Shape.RESPONSES:
        return Sheet(RESPONSE_COLUMNS, _response_rows(reader, questions))
    if shape is Shape.LONG:
        return Sheet(LONG_COLUMNS, _long_rows(reader, questions))
    blocks = table_blocks(questions) if shape is Shape.TABLE else wide_blocks(questions)
    return Sheet(headings_of(blocks), _seat_rows(reader, blocks))


def codebook_sheet(questions: Sequence[Question]) -> Sheet:
    """Return the sheet of all options with their ids, texts and correctness."""
    return Sheet(CODEBOOK_COLUMNS, codebook_rows(questions))


def session_questions(tx: ReadTx, session_id: int, types: Registry) -> list[Question]:
    """Return the activities of a session in order, prepared for export."""
    load_types(tx, session_id, types)
    questions = []
    for each in activities_in_order(tx, session_id):
        activity, content = activity_with_content(tx, each.id)
        activity_type = types.find_version(activity.type, activity.type_version)
        questions.append(export_question(activity, content, activity_type, counts_by_round(tx, activity.id)))
    return questions


def anonymous_titles(questions: Iterable[Question]) -> list[str]:
    """Return the names of anonymous activities."""
    return [question.name for question in questions if question.activity.anonymous]


def _response_rows(reader: ResponseReader, questions: Sequence[Question]) -> Iterator[list[Cell]]:
    seats = {seat.id: seat for seat in every_seat(reader.tx, reader.session_id)}
    for question, response in _every_response(reader, questions):
        yield response_row(response, question, seats)


def _long_rows(reader: ResponseReader, questions: Sequence[Question]) -> Iterator[list[Cell]]:
    seats = {seat.id: seat for seat in every_seat(reader.tx, reader.session_id)}
    for question, response in _every_response(reader, questions):
        yield from long_rows(response, question, seats)


def _every_response(reader: ResponseReader, questions: Sequence[Question]) -> Iterator[tuple[Question, ParticipantResponse]]:
    for question in questions:
        for response in reader.responses_of_activity(question.activity.id):
            question.record_text(response)
            yield question, response


def _seat_rows(reader: ResponseReader, blocks: Sequence[ColumnBlock]) -> Iterator[list[Cell]]:
    """Yield a row for each participant, then one for each answer to an anonymous activity.

    The anonymous rows have no participant and are ordered by text, so nothing reveals the author.
    """
    activities = list({block.question.activity.id: block.question.activity for block in blocks}.values())
    for seats, responses in seats_with_responses(reader, activities):
        yield from seat_rows(blocks, seats, responses)
    anonymous_blocks = {(block.question.activity.id, block.round): block for block in blocks if is_anonymous(block)}
    for activity in activities:
        if activity.anonymous:
            for round_number, text in reader.texts_of(activity.id):
                yield anonymous_row(blocks, anonymous_blocks[activity.id, round_number], anonymous_response(text, round_number))


def seats_with_responses(
    reader: ResponseReader, activities: Sequence[Activity]
) -> Iterator[tuple[list[Participant], list[ParticipantResponse]]]:
    """Yield batches of all seats in joining order, with their answers that are not anonymous."""
    seats = list(every_seat(reader.tx, reader.session_id))
    batch_seats = max(1, min(MAX_SEATS_PER_BATCH, MAX_RESPONSES_PER_BATCH * len(seats) // max(1, reader.total())))
    identified = {activity.id for activity in activities if not activity.anonymous}
    remaining = iter(seats)
    while batch := list(islice(remaining, batch_seats)):
        yield batch, reader.responses_of_participants([seat.id for seat in batch], identified)
