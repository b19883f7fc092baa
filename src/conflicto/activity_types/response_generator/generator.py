"""Generator of plausible answers to one activity, for rehearsals."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.json_schema.members import replace_at, value_at
from conflicto.activity_types.json_schema.validator import SchemaValidator
from conflicto.activity_types.model import RESPONSE
from conflicto.activity_types.response_generator.sampling import NothingToSample, ResponseSampler, SamplingHints
from conflicto.aggregation.correctness import DISTANCE, EQUAL
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact, pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from conflicto.activity_types.json_schema.subset import Schema
    from conflicto.activity_types.model import ActivityType

MAX_TRIES = 6
DEFAULT_NUMBER = 50.0
"""Center of generated numbers where neither schema nor examples suggest one."""

MAX_TARGETS = 200
"""Answers that others may refer to; later ones are not referred to."""

CONSENSUS_PER_ROUND = 0.6
"""Increase of `SamplingHints.consensus` with each further round."""

_decode = msgspec.json.Decoder().decode


class ResponseGenerator:
    """Generator of answers to one round of an activity."""

    def __init__(self, activity_type: ActivityType, schema: Schema, sampler: ResponseSampler, correct: dict[str, Any]) -> None:
        self._activity_type = activity_type
        self._validator = SchemaValidator(schema, RESPONSE)
        self._sampler = sampler
        self._correct = correct
        self._samples = [
            each for example in activity_type.examples for each in example["responses"] if self._validator.is_valid(each)
        ]

    @classmethod
    def for_activity(
        cls,
        activity_type: ActivityType,
        config: str,
        secret: str | None,
        *,
        language: str = "en",
        seed: int = 0,
        round_number: int = 1,
    ) -> ResponseGenerator | None:
        """Return the generator of the given round; None if the config does not fit the type."""
        schema = activity_type.bound_response_schema(config)
        if schema is None:
            return None
        hidden = _decode(secret) if secret is not None else None
        counted: dict[str, dict[str, Any]] = _decode(activity_type.aggregate) if activity_type.aggregate else {}
        near = value_at(hidden, activity_type.rehearsal_hints.near) if activity_type.rehearsal_hints.near else None
        hints = SamplingHints(
            phrases=activity_type.rehearsal_hints.phrases_in(language) or list(_example_texts(activity_type)),
            has_many_phrases=bool(activity_type.rehearsal_hints.phrases),
            center=near if isinstance(near, int | float) else None,
            typical=_typical_number(activity_type, _decode(config)),
            ranking_paths=frozenset(entry["path"] for entry in counted.values() if entry["op"] == "rank"),
            consensus=1 + CONSENSUS_PER_ROUND * (round_number - 1),
        )
        return cls(
            activity_type,
            schema,
            ResponseSampler(schema, hints, seed),
            dict(_correct_values(counted.values(), hidden)),
        )

    def add_target(self, answer_id: str, text: str) -> None:
        """Add an answer as a target for others, unless it refers to another answer itself."""
        others = self._sampler.targets
        if len(others) < MAX_TARGETS and not any(each in text for each in others):
            others.append(answer_id)

    def generate(self, rng: Random, *, skill: float = 0.5) -> str | None:
        """Return an answer as canonical JSON, None if no answer is possible now.

        `skill` is the probability of a correct answer where one exists.
        """
        for _ in range(MAX_TRIES):
            try:
                value = self._sampler.sample(rng)
            except NothingToSample:
                return None
            is_correct = rng.random() < skill
            for path, replacement in (self._activity_type.rehearsal_hints.always | (self._correct if is_correct else {})).items():
                value = replace_at(value, path, replacement)
            if self._validator.is_valid(value):
                return _compact_json(value)
        return _compact_json(rng.choice(self._samples)) if self._samples else None


def _correct_values(entries: Iterable[dict[str, Any]], secret: object) -> Iterator[tuple[str, Any]]:
    """Yield the correct value of each scored member of an answer, by its pointer."""
    for entry in entries:
        for target in entry.get("all", [entry]) if entry["op"] == "score" else ():
            path, value = entry["path"] + (target["path"] if "all" in entry else ""), value_at(secret, target["key"])
            rule = target.get("rule", EQUAL)
            if rule == DISTANCE and isinstance(value, dict):
                yield from ((f"{path}/{pointer_escape(name)}", below) for name, below in value.items())
            elif rule in {EQUAL, DISTANCE} and value is not None:
                yield path, value


def _compact_json(value: object) -> str:
    return compact(msgspec.json.encode(value), RESPONSE_LIMITS).decode()


def _example_texts(activity_type: ActivityType) -> Iterator[str]:
    """Yield each distinct text in the examples' answers."""
    texts = (each for example in activity_type.examples for each in _leaves(example["responses"]) if isinstance(each, str))
    yield from dict.fromkeys(texts)


def _typical_number(activity_type: ActivityType, config: object) -> float:
    """Return the median number in the answers of similar examples, else of all.

    Similar examples have the same config fields.
    """
    similar = [each for each in activity_type.examples if isinstance(config, dict) and each["config"].keys() == config.keys()]
    leaves = (each for example in similar or activity_type.examples for each in _leaves(example["responses"]))
    numbers = [each for each in leaves if isinstance(each, int | float) and not isinstance(each, bool)]
    return median(numbers) if numbers else DEFAULT_NUMBER


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _leaves(below)
    else:
        yield value
