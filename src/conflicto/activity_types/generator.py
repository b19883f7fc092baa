"""Make up answers to one activity, for a rehearsal: they fit its type and config, and together they look like a room's."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.model import RESPONSE
from conflicto.activity_types.sampling import NothingToSample, ResponseSampler, SamplingHints
from conflicto.activity_types.validator import SchemaValidator
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.subset import Schema

MAX_TRIES = 6
DEFAULT_NUMBER = 50.0
"""A number to guess around where nothing is known of any."""

MAX_TARGETS = 200
"""Answers that someone may refer to; later ones stay without an echo."""

CONSENSUS_PER_ROUND = 0.6
"""How much more a room agrees in each further round."""

_decode = msgspec.json.Decoder().decode


class ResponseGenerator:
    """A room's answers to one round of an activity."""

    def __init__(self, kind: ActivityType, schema: Schema, room: ResponseSampler, right: dict[str, Any]) -> None:
        self._kind = kind
        self._check = SchemaValidator(schema, RESPONSE)
        self._room = room
        self._right = right
        self._samples = [each for example in kind.examples for each in example["responses"] if self._check.is_valid(each)]

    @classmethod
    def for_activity(
        cls, kind: ActivityType, config: str, secret: str | None, *, language: str = "en", seed: int = 0, nth: int = 1
    ) -> ResponseGenerator | None:
        """Return the imitation of the `nth` round of an activity; None if its config is not what the type asks for."""
        schema = kind.bound_response_schema(config)
        if schema is None:
            return None
        hidden = _decode(secret) if secret is not None else None
        counted: dict[str, dict[str, Any]] = _decode(kind.aggregate) if kind.aggregate else {}
        near = value_at(hidden, kind.rehearsal_hints.near) if kind.rehearsal_hints.near else None
        tastes = SamplingHints(
            phrases=kind.rehearsal_hints.phrases_in(language) or list(_example_texts(kind)),
            has_many_phrases=bool(kind.rehearsal_hints.phrases),
            center=near if isinstance(near, int | float) else None,
            typical=_typical_number(kind, _decode(config)),
            ranking_paths=frozenset(entry["path"] for entry in counted.values() if entry["op"] == "rank"),
            consensus=1 + CONSENSUS_PER_ROUND * (nth - 1),
        )
        right = {entry["path"]: value_at(hidden, entry["key"]) for entry in counted.values() if entry["op"] == "score"}
        return cls(
            kind, schema, ResponseSampler(schema, tastes, seed), {path: value for path, value in right.items() if value is not None}
        )

    def add_target(self, answer_id: str, text: str) -> None:
        """Note an answer that others may refer to from now on, unless it refers to another one itself."""
        others = self._room.targets
        if len(others) < MAX_TARGETS and not any(each in text for each in others):
            others.append(answer_id)

    def generate(self, chance: Random, *, skill: float = 0.5) -> str | None:
        """Return an answer as gated text, right with the probability `skill` where one can be; None if there is nothing to say."""
        for _ in range(MAX_TRIES):
            try:
                value = self._room.sample(chance)
            except NothingToSample:
                return None
            knows = chance.random() < skill
            for path, wanted in (self._kind.rehearsal_hints.always | (self._right if knows else {})).items():
                value = replace_at(value, path, wanted)
            if self._check.is_valid(value):
                return _compact_json(value)
        return _compact_json(chance.choice(self._samples)) if self._samples else None


def value_at(value: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what stands at a JSON pointer of object members, or None."""
    for name in pointer.split("/")[1:]:
        value = value.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
    return value


def replace_at(value: Any, pointer: str, wanted: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value with something else at a JSON pointer, or as it was if there is no such place."""
    if not pointer:
        return wanted
    name, slash, rest = pointer[1:].partition("/")
    name = name.replace("~1", "/").replace("~0", "~")
    if not isinstance(value, dict) or name not in value:
        return value
    return value | {name: replace_at(value[name], slash + rest, wanted)}


def _compact_json(value: object) -> str:
    return compact(msgspec.json.encode(value), RESPONSE_LIMITS).decode()


def _example_texts(kind: ActivityType) -> Iterator[str]:
    """Yield every text in the examples' answers once."""
    texts = (each for example in kind.examples for each in _leaves(example["responses"]) if isinstance(each, str))
    yield from dict.fromkeys(texts)


def _typical_number(kind: ActivityType, config: object) -> float:
    """Return the number in the middle of the answers to those examples whose config says the same things, else of all."""
    alike = [each for each in kind.examples if isinstance(config, dict) and each["config"].keys() == config.keys()]
    leaves = (each for example in alike or kind.examples for each in _leaves(example["responses"]))
    numbers = [each for each in leaves if isinstance(each, int | float) and not isinstance(each, bool)]
    return median(numbers) if numbers else DEFAULT_NUMBER


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _leaves(below)
    else:
        yield value
