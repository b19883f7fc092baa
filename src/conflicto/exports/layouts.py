"""Columns of the sheets with one row per participant.

A column holds one round of an activity, or one part of its answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activity_types.response_parts import PartKind
from conflicto.exports.cells import boolean_cell, instant_cell
from conflicto.exports.questions import MANY_POLICY, as_list, exported_response, option_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conflicto.activity_types.response_parts import ResponsePart
    from conflicto.exports.cells import Cell
    from conflicto.exports.questions import ExportedResponse, Question
    from conflicto.participants.model import Participant
    from conflicto.responses.model import ParticipantResponse


class PartValue(NamedTuple):
    """One part of an answer: its JSON text, and its decoded values.

    All columns of the part share the values.
    """

    text: str
    values: list[object]


PartValues = dict[tuple[str, ...], PartValue]
"""The parts of one answer by path."""

LIST_KINDS = frozenset({PartKind.CHOICES, PartKind.RANKING})
"""Kinds of parts with several columns."""

SEAT_COLUMNS = ("participant_id", "nickname", "joined_at", "scripted")


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """The columns of one round of an activity.

    `cells` returns their cells from one participant's answers, in feed order.
    """

    question: Question
    round: int
    headings: tuple[str, ...]
    cells: Callable[[Sequence[ExportedResponse]], list[Cell]]


def table_blocks(questions: Iterable[Question]) -> list[ColumnBlock]:
    """Return one column for each round of each activity."""
    return [_round_block(question, round_number, heading) for question, round_number, heading in _rounds(questions)]


def wide_blocks(questions: Iterable[Question]) -> list[ColumnBlock]:
    """Return a column for each option of a multiple choice, each rank and each other part.

    Scored activities have two more: whether the answer is correct, and its points.
    """
    return [_part_block(question, round_number, heading) for question, round_number, heading in _rounds(questions)]


def headings_of(blocks: Iterable[ColumnBlock]) -> list[str]:
    """Return the headings of all columns, unique without regard to case.

    Spreadsheets treat headings that differ only in case as equal.
    """
    seen = Counter(name.casefold() for name in SEAT_COLUMNS)
    found = []
    for heading in (heading for block in blocks for heading in block.headings):
        unique, suffix = heading, 1
        while seen[unique.casefold()]:
            suffix += 1
            unique = f"{heading} #{suffix}"
        seen[unique.casefold()] += 1
        found.append(unique)
    return [*SEAT_COLUMNS, *found]


def seat_rows(
    blocks: Sequence[ColumnBlock], seats: Iterable[Participant], responses: Iterable[ParticipantResponse]
) -> Iterator[list[Cell]]:
    """Yield a row for each seat with its answers, except those to anonymous activities.

    Participants who left have a row only if they have such answers.
    """
    places = {(block.question.activity.id, block.round): place for place, block in enumerate(blocks) if not is_anonymous(block)}
    given: dict[int, dict[int, list[ExportedResponse]]] = {}
    for response in responses:
        place = places.get((response.activity_id, response.round))
        if place is not None:
            given.setdefault(response.participant_id or 0, {}).setdefault(place, []).append(exported_response(response))
    for seat in seats:
        found = given.get(seat.id, {})
        if found or not seat.deleted:
            cells = [each for place, block in enumerate(blocks) for each in _block_cells(block, found.get(place))]
            yield [str(seat.id), seat.nickname, instant_cell(seat.created_ts), boolean_cell(seat.scripted), *cells]


def anonymous_row(blocks: Sequence[ColumnBlock], block: ColumnBlock, response: ExportedResponse) -> list[Cell]:
    """Return an answer to an anonymous activity as a row of its own, without a participant."""
    cells = [each for other in blocks for each in _block_cells(other, [response] if other is block else None)]
    return [*[""] * len(SEAT_COLUMNS), *cells]


def is_anonymous(block: ColumnBlock) -> bool:
    """Return whether a block belongs to an anonymous activity."""
    return block.question.activity.anonymous


def json_texts(responses: Sequence[ExportedResponse]) -> list[str]:
    """Return the JSON texts of answers."""
    return [response.text for response in responses]


def _rounds(questions: Iterable[Question]) -> Iterator[tuple[Question, int, str]]:
    for question in questions:
        for round_number in range(1, question.activity.round + 1):
            yield question, round_number, question.name + (f" (round {round_number})" if question.activity.round > 1 else "")


def _block_cells(block: ColumnBlock, responses: Sequence[ExportedResponse] | None) -> list[Cell]:
    return block.cells(responses) if responses else [""] * len(block.headings)


def _round_block(question: Question, round_number: int, heading: str) -> ColumnBlock:
    return ColumnBlock(question, round_number, (heading,), lambda responses: [question.responses_cell(json_texts(responses))])


def _part_block(question: Question, round_number: int, heading: str) -> ColumnBlock:
    if not question.parts or question.activity.response_policy == MANY_POLICY:
        return _round_block(question, round_number, heading)
    columns = [(f"{heading}{name}", read) for part in question.parts for name, read in _columns(question, part)]
    verdict = (f"{heading}: correct", f"{heading}: points") if question.scoring else ()

    def cells(responses: Sequence[ExportedResponse]) -> list[Cell]:
        parts = {
            part.steps: PartValue(value, as_list(value) if part.kind in LIST_KINDS else [])
            for part, value in question.part_texts(responses[-1].text)
        }
        return [*(read(parts) for _, read in columns), *(question.score_cells(responses[-1]) if verdict else ())]

    return ColumnBlock(question, round_number, (*(name for name, _ in columns), *verdict), cells)


def _columns(question: Question, part: ResponsePart) -> Iterator[tuple[str, Callable[[PartValues], Cell]]]:
    """Yield the columns of one part.

    A column is a heading suffix and a function from an answer's parts to a cell.
    """
    name = f": {part.name}" if len(question.parts) > 1 else ""
    if part.kind is PartKind.CHOICES:
        yield from ((f"{name}: {text}", partial(_option_cell, part, value)) for value, text in part.options)
    elif part.kind is PartKind.RANKING:
        yield from ((f"{name}: {place}", partial(_rank_cell, part, place)) for place in range(1, len(part.options) + 1))
    else:
        yield name, partial(_part_cell, question, part)


def _option_cell(part: ResponsePart, value: object, given: PartValues) -> Cell:
    return boolean_cell(value in given[part.steps].values) if part.steps in given else ""


def _rank_cell(part: ResponsePart, place: int, given: PartValues) -> Cell:
    ranked = given[part.steps].values if part.steps in given else []
    return option_label(part, ranked[place - 1]) if place <= len(ranked) else ""


def _part_cell(question: Question, part: ResponsePart, given: PartValues) -> Cell:
    return question.part_cell(part, given[part.steps].text) if part.steps in given else ""
