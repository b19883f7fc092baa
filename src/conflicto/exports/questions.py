"""Questions of an export: activities with option labels, answer parts and scoring. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from conflicto.activity_types.response_parts import PartKind, response_parts
from conflicto.aggregation.operation import ResponseMetadata, RoundContext
from conflicto.aggregation.operations.score import ScoreFold
from conflicto.aggregation.pointer import MISSING, find
from conflicto.aggregation.spec import parse_spec
from conflicto.exports.cells import BooleanCell, NumberCell, boolean_cell, member_text, plain_cell, responses_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conflicto.activities.model import Activity, Content, Counts
    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.response_parts import ResponsePart
    from conflicto.exports.cells import Cell
    from conflicto.responses.model import ParticipantResponse

MANY_POLICY = "many"
"""Response policy under which a cell holds all answers of a participant, as a JSON array."""

SCORE_OPERATION = "score"
MAX_HEADING_CHARS = 200
"""Length limit of a heading, equal to that of a title."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


class ExportedResponse(NamedTuple):
    """An answer in an export: JSON text, round, and metadata for scoring."""

    text: str
    round: int
    metadata: ResponseMetadata


def exported_response(response: ParticipantResponse) -> ExportedResponse:
    """Return an exported response from a stored one."""
    about = ResponseMetadata(response.participant_id or 0, response.received_us, response.created_ts, str(response.id))
    return ExportedResponse(response.text or "null", response.round, about)


def anonymous_response(text: str, round_number: int) -> ExportedResponse:
    """Return an exported response without author, id and instants."""
    return ExportedResponse(text, round_number, ResponseMetadata(0, 0, 0, ""))


class Scoring(NamedTuple):
    """Scoring of an activity: path of the scored value, correct value, and score fold by round.

    `has_points` is False for anonymous activities, as points reveal how fast an answer was.
    """

    steps: tuple[str, ...]
    correct: object
    rounds: Mapping[int, ScoreFold]
    has_points: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One activity with its name, answer parts (empty: answers are plain JSON) and scoring.

    `texts` are answer texts by id, for answers that refer to others; they are added in feed order.
    """

    activity: Activity
    name: str
    parts: tuple[ResponsePart, ...]
    scoring: Scoring | None
    texts: dict[str, str] = field(default_factory=dict)

    def response_cell(self, text: str) -> Cell:
        """Return the cell of an answer: option labels, one plain value, else JSON.

        Several parts are joined, each with its name.
        """
        found = list(self.part_texts(text))
        if not found:
            return responses_cell([text], many=False)
        if len(found) == 1:
            return self.part_cell(*found[0])
        return "; ".join(f"{part.name}: {self.part_cell(part, value)}" for part, value in found)

    def responses_cell(self, texts: Sequence[str]) -> Cell:
        """Return the cell of all answers of one participant in a round.

        Under the policy `many` it is a JSON array.
        """
        if not self.parts:
            return responses_cell(texts, many=self.activity.response_policy == MANY_POLICY)
        if len(texts) == 1 and self.activity.response_policy != MANY_POLICY:
            return self.response_cell(texts[0])
        return _encode([self.response_cell(text) for text in texts]).decode()

    def part_texts(self, text: str) -> Iterator[tuple[ResponsePart, str]]:
        """Yield the parts present in an answer, each with its JSON text."""
        for part in self.parts:
            value = member_text(text, part.steps)
            if value is not None:
                yield part, value

    def part_cell(self, part: ResponsePart, text: str) -> Cell:
        """Return the cell of one part of an answer."""
        if part.kind is PartKind.VALUE:
            return plain_cell(text) or text
        if part.kind is PartKind.ANSWER:
            return self.texts.get(str(_decode(text)), str(_decode(text)))
        return "; ".join(option_label(part, value) for value in as_list(text))

    def record_text(self, response: ParticipantResponse) -> None:
        """Record the text of an answer that later answers may refer to."""
        if any(part.kind is PartKind.ANSWER for part in self.parts):
            plain = [
                self.part_cell(part, value)
                for part, value in self.part_texts(response.text or "null")
                if part.kind is PartKind.VALUE
            ]
            if len(plain) == 1:
                self.texts[str(response.id)] = plain[0]

    def score_cells(self, response: ExportedResponse) -> tuple[Cell, Cell]:
        """Return whether an answer is correct, and its points; unscored ones get empty cells."""
        fold = self.scoring and self.scoring.rounds.get(response.round)
        if not self.scoring or fold is None:
            return "", ""
        value = find(_decode(response.text), self.scoring.steps)
        if value is MISSING:
            return "", ""
        scored = fold.read(value, response.metadata)
        return boolean_cell(scored.is_correct), NumberCell(scored.points) if self.scoring.has_points else ""


def export_question(
    activity: Activity, content: Content, activity_type: ActivityType | None, counts: Mapping[int, Counts]
) -> Question:
    """Return an activity for export; `counts` are those of its rounds, by number."""
    parts = response_parts(activity_type, content.config) if activity_type else ()
    return Question(activity, activity_name(activity, content.config), parts, _scoring(activity, content, counts))


def activity_name(activity: Activity, config: str) -> str:
    """Return an activity's title, else the first text in its config, else its type."""
    if activity.title:
        return activity.title
    texts = (bytes(value).decode() for value in _members(config).values()) if config.startswith("{") else iter(())
    found = (title for text in texts if text.startswith('"') and (title := _string(text).strip()))
    return next(found, activity.type)[:MAX_HEADING_CHARS]


def option_label(part: ResponsePart, value: object) -> str:
    """Return the label of an option's value, else the value itself."""
    return next((option.text for option in part.options if option.value == value), str(value))


def as_list(text: str) -> list[object]:
    """Return the elements of a JSON array, a single value as a list."""
    value = _decode(text)
    return value if isinstance(value, list) else [value]


def correct_cell(scoring: Scoring | None, part: ResponsePart, value: object) -> BooleanCell | str:
    """Return whether an option is correct, an empty cell where nothing is scored."""
    if scoring is None or scoring.steps != part.steps or scoring.correct is MISSING:
        return ""
    correct = scoring.correct
    return boolean_cell(value in correct if isinstance(correct, list) else value == correct)


def _scoring(activity: Activity, content: Content, counts: Mapping[int, Counts]) -> Scoring | None:
    entry = next((entry for entry in parse_spec(content.aggregate).values() if entry.op == SCORE_OPERATION), None)
    if entry is None:
        return None
    secret = _decode(content.secret or "null")
    rounds: dict[int, ScoreFold] = {}
    for round_number in range(1, activity.round + 1):
        round_times = activity if round_number == activity.round else counts.get(round_number)
        fold = round_times and entry.fold(RoundContext(secret, round_times.started_ts, round_times.duration_seconds))
        if isinstance(fold, ScoreFold):
            rounds[round_number] = fold
    correct = next((fold.correct_value for fold in rounds.values()), MISSING)
    return Scoring(entry.path, correct, rounds, not activity.anonymous)
