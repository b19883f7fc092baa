"""The rows of a session, read from one snapshot and never held together: memory follows people and activities, not answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from conflicto.activities.queries import activities_in_order, activity_with_content, counts_by_round, total_answers
from conflicto.exports.rows import RESPONSE_COLUMNS, SEAT_COLUMNS, anonymous_rows, columns_of, name_of, response_row, seat_rows
from conflicto.participants.queries import every_seat
from conflicto.responses.queries import every_response, responses_of_seats, texts_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conflicto.activities.model import Activity
    from conflicto.participants.model import Participant
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import Response

SEATS_AT_ONCE = 500
ANSWERS_AT_ONCE = 5_000
"""Participants of the table whose answers are in memory together: as many as have about so many answers, a few MB."""


class Shape(StrEnum):
    """What a row is: an answer, or a participant with a cell for each activity and round."""

    RESPONSES = "responses"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A header and its rows, which are read once, inside the transaction."""

    header: Sequence[str]
    rows: Iterator[list[str]]


def sheet_of(tx: ReadTx, session_id: int, shape: Shape) -> Sheet:
    """Return a session in one of the shapes."""
    activities = _named(tx, session_id)
    if shape is Shape.RESPONSES:
        return Sheet(RESPONSE_COLUMNS, _response_rows(tx, session_id, activities))
    headings = [column.heading for column in columns_of(activities)]
    return Sheet([*SEAT_COLUMNS, *headings], _table_rows(tx, session_id, activities))


def anonymous_titles(tx: ReadTx, session_id: int) -> list[str]:
    """Return the headings of the table's columns whose answers stand apart from the participants."""
    return [column.heading for column in columns_of(_named(tx, session_id)) if column.anonymous]


def _named(tx: ReadTx, session_id: int) -> list[Activity]:
    """Return the activities in order, each with a title."""
    activities = activities_in_order(tx, session_id)
    return [
        activity if activity.title else replace(activity, title=name_of(activity, activity_with_content(tx, activity.id)[1].config))
        for activity in activities
    ]


def _response_rows(tx: ReadTx, session_id: int, activities: Sequence[Activity]) -> Iterator[list[str]]:
    seats = {seat.id: seat for seat in every_seat(tx, session_id)}
    for activity in activities:
        for response in every_response(tx, activity.id, nth=None, participant_id=None):
            yield response_row(response, activity, seats)


def _table_rows(tx: ReadTx, session_id: int, activities: Sequence[Activity]) -> Iterator[list[str]]:
    """Yield a row for each participant, and then one for each answer to an anonymous activity.

    The anonymous rows have no participant and stand in the order of their text, so neither column nor place says who sent them.
    """
    columns = columns_of(activities)
    for seats, answers in seats_with_answers(tx, session_id, activities):
        yield from seat_rows(columns, seats, answers)
    for activity in activities:
        if activity.anonymous:
            yield from anonymous_rows(columns, activity.id, texts_in_order(tx, activity.id))


def seats_with_answers(
    tx: ReadTx, session_id: int, activities: Sequence[Activity]
) -> Iterator[tuple[list[Participant], list[Response]]]:
    """Yield everyone who ever sat in a session, in the order of joining, some at a time, with all their live answers."""
    seats = list(every_seat(tx, session_id))
    answers = sum(total_answers(counts_by_round(tx, activity.id)) for activity in activities)
    at_once = max(1, min(SEATS_AT_ONCE, ANSWERS_AT_ONCE * len(seats) // max(1, answers)))
    waiting = iter(seats)
    while some := list(islice(waiting, at_once)):
        yield some, responses_of_seats(tx, [seat.id for seat in some])
