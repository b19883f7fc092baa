"""Columns of the sheets with a row for each participant: one cell for a round of an activity, or one for each part of its answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from conflicto.activity_types.response_parts import PartKind
from conflicto.exports.cells import instant, truth
from conflicto.exports.questions import MANY, answer_of, label_of, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conflicto.activity_types.response_parts import ResponsePart
    from conflicto.exports.cells import Cell
    from conflicto.exports.questions import Answer, Question
    from conflicto.participants.model import Participant
    from conflicto.responses.model import ParticipantResponse


class Given(NamedTuple):
    """One part of an answer: its JSON text, and the values in it, decoded once for all the columns of the part."""

    text: str
    values: list[object]


Parts = dict[tuple[str, ...], Given]
"""The parts of one answer by their places."""

LISTED = frozenset({PartKind.CHOICES, PartKind.RANKING})
"""Parts that have several columns."""

SEAT_COLUMNS = ("participant_id", "nickname", "joined_at", "scripted")


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of one round of one activity; `cells` fills them with the answers of one participant, in the order of the feed."""

    question: Question
    round: int
    headings: tuple[str, ...]
    cells: Callable[[Sequence[Answer]], list[Cell]]


def table_blocks(questions: Iterable[Question]) -> list[Block]:
    """Return one column for each round of each activity."""
    return [_whole_block(question, nth, heading) for question, nth, heading in _rounds(questions)]


def wide_blocks(questions: Iterable[Question]) -> list[Block]:
    """Return a column for each option of a multiple choice, each rank and each other part, and two more where answers are scored."""
    return [_wide_block(question, nth, heading) for question, nth, heading in _rounds(questions)]


def headings_of(blocks: Iterable[Block]) -> list[str]:
    """Return the headings of all columns, in order; no two are the same to a spreadsheet, which ignores case."""
    seen = Counter(name.casefold() for name in SEAT_COLUMNS)
    found = []
    for heading in (heading for block in blocks for heading in block.headings):
        unique, nth = heading, 1
        while seen[unique.casefold()]:
            nth += 1
            unique = f"{heading} #{nth}"
        seen[unique.casefold()] += 1
        found.append(unique)
    return [*SEAT_COLUMNS, *found]


def seat_rows(
    blocks: Sequence[Block], seats: Iterable[Participant], answers: Iterable[ParticipantResponse]
) -> Iterator[list[Cell]]:
    """Yield a row for each seat, with its answers to activities that are not anonymous; who left has one only if such answers stay."""
    places = {(block.question.activity.id, block.round): place for place, block in enumerate(blocks) if not is_apart(block)}
    given: dict[int, dict[int, list[Answer]]] = {}
    for answer in answers:
        place = places.get((answer.activity_id, answer.round))
        if place is not None:
            given.setdefault(answer.participant_id or 0, {}).setdefault(place, []).append(answer_of(answer))
    for seat in seats:
        found = given.get(seat.id, {})
        if found or not seat.deleted:
            cells = [each for place, block in enumerate(blocks) for each in _filled(block, found.get(place))]
            yield [str(seat.id), seat.nickname, instant(seat.created_ts), truth(seat.scripted), *cells]


def apart_row(blocks: Sequence[Block], block: Block, answer: Answer) -> list[Cell]:
    """Return an answer to an anonymous activity as a row of its own: its columns are filled, and nothing says whose it is."""
    cells = [each for other in blocks for each in _filled(other, [answer] if other is block else None)]
    return [*[""] * len(SEAT_COLUMNS), *cells]


def is_apart(block: Block) -> bool:
    """Tell whether the answers of a block stand apart from the participants."""
    return block.question.activity.anonymous


def texts_of(answers: Sequence[Answer]) -> list[str]:
    """Return the JSON texts of answers."""
    return [answer.text for answer in answers]


def _rounds(questions: Iterable[Question]) -> Iterator[tuple[Question, int, str]]:
    for question in questions:
        for nth in range(1, question.activity.round + 1):
            yield question, nth, question.name + (f" (round {nth})" if question.activity.round > 1 else "")


def _filled(block: Block, answers: Sequence[Answer] | None) -> list[Cell]:
    return block.cells(answers) if answers else [""] * len(block.headings)


def _whole_block(question: Question, nth: int, heading: str) -> Block:
    return Block(question, nth, (heading,), lambda answers: [question.all_shown(texts_of(answers))])


def _wide_block(question: Question, nth: int, heading: str) -> Block:
    if not question.parts or question.activity.response_policy == MANY:
        return _whole_block(question, nth, heading)
    columns = [(f"{heading}{name}", read) for part in question.parts for name, read in _columns(question, part)]
    verdict = (f"{heading}: correct", f"{heading}: points") if question.scoring else ()

    def cells(answers: Sequence[Answer]) -> list[Cell]:
        parts = {
            part.steps: Given(value, listed(value) if part.kind in LISTED else [])
            for part, value in question.given(answers[-1].text)
        }
        return [*(read(parts) for _, read in columns), *(question.correctness(answers[-1]) if verdict else ())]

    return Block(question, nth, (*(name for name, _ in columns), *verdict), cells)


def _columns(question: Question, part: ResponsePart) -> Iterator[tuple[str, Callable[[Parts], Cell]]]:
    """Yield the columns of one part: what follows the heading, and how a cell is read from the parts of an answer."""
    name = f": {part.name}" if len(question.parts) > 1 else ""
    if part.kind is PartKind.CHOICES:
        yield from ((f"{name}: {text}", partial(_chosen, part, value)) for value, text in part.options)
    elif part.kind is PartKind.RANKING:
        yield from ((f"{name}: {place}", partial(_ranked, part, place)) for place in range(1, len(part.options) + 1))
    else:
        yield name, partial(_said, question, part)


def _chosen(part: ResponsePart, value: object, given: Parts) -> Cell:
    return truth(value in given[part.steps].values) if part.steps in given else ""


def _ranked(part: ResponsePart, place: int, given: Parts) -> Cell:
    ranked = given[part.steps].values if part.steps in given else []
    return label_of(part, ranked[place - 1]) if place <= len(ranked) else ""


def _said(question: Question, part: ResponsePart, given: Parts) -> Cell:
    return question.words(part, given[part.steps].text) if part.steps in given else ""
