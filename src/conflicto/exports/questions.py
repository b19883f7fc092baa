"""Questions of a session as an export reads them: the words behind ids, the parts of an answer, and what is right.

Pure: made from an activity, its content and its type.
"""

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
"""The response policy under which one participant's cell holds all their answers, as a JSON array."""

SCORE_OPERATION = "score"
MAX_HEADING_CHARS = 200
"""As many as a title may have."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


class ExportedResponse(NamedTuple):
    """An answer as its question reads it: a JSON text, its round, and what a score looks at."""

    text: str
    round: int
    metadata: ResponseMetadata


def exported_response(response: ParticipantResponse) -> ExportedResponse:
    """Return a stored response as its question reads it."""
    about = ResponseMetadata(response.participant_id or 0, response.received_us, response.created_ts, str(response.id))
    return ExportedResponse(response.text or "null", response.round, about)


def anonymous_response(text: str, nth: int) -> ExportedResponse:
    """Return an answer without author, id or instants."""
    return ExportedResponse(text, nth, ResponseMetadata(0, 0, 0, ""))


class Scoring(NamedTuple):
    """Where the scored value of an answer stands, and what it earns in each round; who was quick is not told if it is anonymous."""

    steps: tuple[str, ...]
    correct: object
    rounds: Mapping[int, ScoreFold]
    has_points: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One activity, its name, the parts of its answers (none: answers are plain JSON), and its scoring if it has any.

    `texts` are the texts of answers that others may name, by id: filled while answers are read in the order of the feed.
    """

    activity: Activity
    name: str
    parts: tuple[ResponsePart, ...]
    scoring: Scoring | None
    texts: dict[str, str] = field(default_factory=dict)

    def response_cell(self, text: str) -> Cell:
        """Return an answer, a JSON text, as people read it: the words of options, one plain value, else JSON.

        Several parts stand in a row, each with its name.
        """
        found = list(self.part_texts(text))
        if not found:
            return responses_cell([text], many=False)
        if len(found) == 1:
            return self.part_cell(*found[0])
        return "; ".join(f"{part.name}: {self.part_cell(part, value)}" for part, value in found)

    def responses_cell(self, texts: Sequence[str]) -> Cell:
        """Return all answers of one participant in a round as one cell: a JSON array under the policy `many`."""
        if not self.parts:
            return responses_cell(texts, many=self.activity.response_policy == MANY_POLICY)
        if len(texts) == 1 and self.activity.response_policy != MANY_POLICY:
            return self.response_cell(texts[0])
        return _encode([self.response_cell(text) for text in texts]).decode()

    def part_texts(self, text: str) -> Iterator[tuple[ResponsePart, str]]:
        """Yield the parts that an answer has, each with its JSON text."""
        for part in self.parts:
            value = member_text(text, part.steps)
            if value is not None:
                yield part, value

    def part_cell(self, part: ResponsePart, text: str) -> Cell:
        """Return one part of an answer in words."""
        if part.kind is PartKind.VALUE:
            return plain_cell(text) or text
        if part.kind is PartKind.ANSWER:
            return self.texts.get(str(_decode(text)), str(_decode(text)))
        return "; ".join(option_label(part, value) for value in as_list(text))

    def record_text(self, response: ParticipantResponse) -> None:
        """Keep the text of an answer that later ones may name as their target."""
        if any(part.kind is PartKind.ANSWER for part in self.parts):
            plain = [
                self.part_cell(part, value)
                for part, value in self.part_texts(response.text or "null")
                if part.kind is PartKind.VALUE
            ]
            if len(plain) == 1:
                self.texts[str(response.id)] = plain[0]

    def score_cells(self, answer: ExportedResponse) -> tuple[Cell, Cell]:
        """Return whether an answer is right, and its points; both empty where nothing is scored."""
        fold = self.scoring and self.scoring.rounds.get(answer.round)
        if not self.scoring or fold is None:
            return "", ""
        value = find(_decode(answer.text), self.scoring.steps)
        if value is MISSING:
            return "", ""
        scored = fold.read(value, answer.metadata)
        return boolean_cell(scored.is_correct), NumberCell(scored.points) if self.scoring.has_points else ""


def export_question(activity: Activity, content: Content, known: ActivityType | None, counts: Mapping[int, Counts]) -> Question:
    """Return an activity as an export reads it; `known` is its registered type, `counts` are those of its rounds."""
    parts = response_parts(known, content.config) if known else ()
    return Question(activity, activity_name(activity, content.config), parts, _scoring(activity, content, counts))


def activity_name(activity: Activity, config: str) -> str:
    """Return what people call an activity: its title, else the first text in its config, which is the question, else its type."""
    if activity.title:
        return activity.title
    texts = (bytes(value).decode() for value in _members(config).values()) if config.startswith("{") else iter(())
    found = (said for text in texts if text.startswith('"') and (said := _string(text).strip()))
    return next(found, activity.type)[:MAX_HEADING_CHARS]


def option_label(part: ResponsePart, value: object) -> str:
    """Return the words of a value that stands for an option, the value itself if it stands for none."""
    return next((option.text for option in part.options if option.value == value), str(value))


def as_list(text: str) -> list[object]:
    """Return the elements of a JSON array, or a single value alone."""
    value = _decode(text)
    return value if isinstance(value, list) else [value]


def correct_cell(scoring: Scoring | None, part: ResponsePart, value: object) -> BooleanCell | str:
    """Return whether an option is right, empty where nothing is scored there."""
    if scoring is None or scoring.steps != part.steps or scoring.correct is MISSING:
        return ""
    right = scoring.correct
    return boolean_cell(value in right if isinstance(right, list) else value == right)


def _scoring(activity: Activity, content: Content, counts: Mapping[int, Counts]) -> Scoring | None:
    entry = next((entry for entry in parse_spec(content.aggregate).values() if entry.op == SCORE_OPERATION), None)
    if entry is None:
        return None
    secret = _decode(content.secret or "null")
    rounds: dict[int, ScoreFold] = {}
    for nth in range(1, activity.round + 1):
        timed = activity if nth == activity.round else counts.get(nth)
        fold = timed and entry.fold(RoundContext(secret, timed.started_ts, timed.duration_seconds))
        if isinstance(fold, ScoreFold):
            rounds[nth] = fold
    right = next((fold.correct_value for fold in rounds.values()), MISSING)
    return Scoring(entry.path, right, rounds, not activity.anonymous)
