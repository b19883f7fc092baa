"""Rows of an export's sheets, one per answer or part of an answer: pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activity_types.response_parts import PartKind
from conflicto.exports.cells import NumberCell, boolean_cell, instant_cell, responses_cell
from conflicto.exports.questions import as_list, correct_cell, exported_response, option_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conflicto.activity_types.response_parts import ResponsePart
    from conflicto.exports.cells import Cell
    from conflicto.exports.questions import Question
    from conflicto.participants.model import Participant
    from conflicto.responses.model import ParticipantResponse

RESPONSE_COLUMNS = (
    "activity", "type", "round", "participant_id", "nickname", "answer", "moderation", "revision", "received_at", "updated_at", "id",
    "scripted", "correct", "points",
)  # fmt: skip
LONG_COLUMNS = (
    "activity", "type", "round", "participant_id", "nickname", "item", "value", "moderation", "received_at", "scripted",
)  # fmt: skip
CODEBOOK_COLUMNS = ("activity", "type", "type_version", "rounds", "item", "kind", "id", "text", "correct")


def response_row(response: ParticipantResponse, question: Question, seats: Mapping[int, Participant]) -> list[Cell]:
    """Return the row of an answer under `RESPONSE_COLUMNS`.

    Answers to anonymous activities have no author, instants or id. They also omit whether a bot
    sent them, which could identify the other authors in a small group.
    """
    shown, verdict = question.response_cell(response.text or "null"), question.score_cells(exported_response(response))
    head = _common_cells(question, response.round)
    if question.activity.anonymous:
        return [*head, "", "", shown, response.moderation, "", "", "", "", "", *verdict]
    author = seats.get(response.participant_id or 0)
    nickname, scripted = (author.nickname, boolean_cell(author.scripted)) if author else ("", "")
    return [
        *head, str(response.participant_id), nickname, shown, response.moderation, NumberCell(response.revision),
        instant_cell(response.received_us), instant_cell(response.ts), str(response.id), scripted, *verdict,
    ]  # fmt: skip


def long_rows(response: ParticipantResponse, question: Question, seats: Mapping[int, Participant]) -> Iterator[list[Cell]]:
    """Yield a row under `LONG_COLUMNS` for each chosen option, each rank and each other part."""
    author = None if question.activity.anonymous else seats.get(response.participant_id or 0)
    author_cells = (str(author.id), author.nickname) if author else ("", "")
    end = (
        [response.moderation, instant_cell(response.received_us), boolean_cell(author.scripted)]
        if author
        else [response.moderation, "", ""]
    )
    for item, value in _items(question, response.text or "null"):
        yield [*_common_cells(question, response.round), *author_cells, item, value, *end]


def codebook_rows(questions: Sequence[Question]) -> Iterator[list[Cell]]:
    """Yield a row under `CODEBOOK_COLUMNS` for each option.

    Parts without options, and questions without parts, get one row each.
    """
    for question in questions:
        activity = question.activity
        head: list[Cell] = [question.name, activity.type, activity.type_version or "", NumberCell(activity.round)]
        for part in question.parts:
            item = _item_name(question, part)
            yield from ([*head, item, part.kind, *_option(question, part, value, text)] for value, text in part.options)
            if not part.options:
                yield [*head, item, part.kind, "", "", _correct_value(question, part)]
        if not question.parts:
            yield [*head, "", "json", "", "", ""]


def _common_cells(question: Question, round_number: int) -> list[Cell]:
    return [question.name, question.activity.type, NumberCell(round_number)]


def _items(question: Question, text: str) -> Iterator[tuple[Cell, Cell]]:
    found = list(question.part_texts(text))
    if not found:
        yield "", responses_cell([text], many=False)
    for part, value in found:
        if part.kind is PartKind.CHOICES:
            yield from ((option_label(part, each), boolean_cell(True)) for each in as_list(value))
        elif part.kind is PartKind.RANKING:
            yield from ((NumberCell(place), option_label(part, each)) for place, each in enumerate(as_list(value), 1))
        else:
            yield _item_name(question, part), question.part_cell(part, value)


def _item_name(question: Question, part: ResponsePart) -> str:
    return part.name if len(question.parts) > 1 else ""


def _option(question: Question, part: ResponsePart, value: object, text: str) -> list[Cell]:
    return [str(value), text, correct_cell(question.scoring, part, value)]


def _correct_value(question: Question, part: ResponsePart) -> Cell:
    scoring = question.scoring
    if scoring is None or scoring.steps != part.steps or not isinstance(scoring.correct, str | int | float):
        return ""
    return scoring.correct if isinstance(scoring.correct, str) else NumberCell(scoring.correct)
