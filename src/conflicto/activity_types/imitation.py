"""Make up answers to one activity, for a rehearsal: they fit its type and config, and together they look like a room's."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.checking import Check
from conflicto.activity_types.drawing import NothingToSay, Room, Tastes
from conflicto.activity_types.model import RESPONSE
from conflicto.platform.strict_json import RESPONSE_LIMITS, compact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from conflicto.activity_types.model import ActivityType
    from conflicto.activity_types.subset import Schema

TRIES = 6
UNHEARD_OF = 50.0
"""A number to guess around where nothing is known of any."""

MOST_HEARD = 200
"""Answers that someone may refer to; later ones stay without an echo."""

SHARPER = 0.6
"""How much more a room agrees in each further round."""

_decode = msgspec.json.Decoder().decode


class Imitation:
    """A room's answers to one round of an activity."""

    def __init__(self, kind: ActivityType, schema: Schema, room: Room, right: dict[str, Any]) -> None:
        self._kind = kind
        self._check = Check(schema, RESPONSE)
        self._room = room
        self._right = right
        self._samples = [each for example in kind.examples for each in example["responses"] if self._check.is_valid(each)]

    @classmethod
    def of(
        cls, kind: ActivityType, config: str, secret: str | None, *, language: str = "en", seed: int = 0, nth: int = 1
    ) -> Imitation | None:
        """Return the imitation of the `nth` round of an activity; None if its config is not what the type asks for."""
        schema = kind.response_schema_of(config)
        if schema is None:
            return None
        hidden = _decode(secret) if secret is not None else None
        counted: dict[str, dict[str, Any]] = _decode(kind.aggregate) if kind.aggregate else {}
        near = found(hidden, kind.habits.near) if kind.habits.near else None
        tastes = Tastes(
            phrases=kind.habits.said_in(language) or list(_phrases(kind)),
            many_phrases=bool(kind.habits.phrases),
            near=near if isinstance(near, int | float) else None,
            usual=_usual(kind, _decode(config)),
            rankings=frozenset(entry["path"] for entry in counted.values() if entry["op"] == "rank"),
            sharp=1 + SHARPER * (nth - 1),
        )
        right = {entry["path"]: found(hidden, entry["key"]) for entry in counted.values() if entry["op"] == "score"}
        return cls(kind, schema, Room(schema, tastes, seed), {path: value for path, value in right.items() if value is not None})

    def heard(self, answer_id: str, text: str) -> None:
        """Note an answer that others may refer to from now on, unless it refers to another one itself."""
        others = self._room.others
        if len(others) < MOST_HEARD and not any(each in text for each in others):
            others.append(answer_id)

    def answer(self, chance: Random, *, skill: float = 0.5) -> str | None:
        """Return an answer as gated text, right with the probability `skill` where one can be; None if there is nothing to say."""
        for _ in range(TRIES):
            try:
                value = self._room.drawn(chance)
            except NothingToSay:
                return None
            knows = chance.random() < skill
            for path, wanted in (self._kind.habits.always | (self._right if knows else {})).items():
                value = placed(value, path, wanted)
            if self._check.is_valid(value):
                return _gated(value)
        return _gated(chance.choice(self._samples)) if self._samples else None


def found(value: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what stands at a JSON pointer of object members, or None."""
    for name in pointer.split("/")[1:]:
        value = value.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
    return value


def placed(value: Any, pointer: str, wanted: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value with something else at a JSON pointer, or as it was if there is no such place."""
    if not pointer:
        return wanted
    name, slash, rest = pointer[1:].partition("/")
    name = name.replace("~1", "/").replace("~0", "~")
    if not isinstance(value, dict) or name not in value:
        return value
    return value | {name: placed(value[name], slash + rest, wanted)}


def _gated(value: object) -> str:
    return compact(msgspec.json.encode(value), RESPONSE_LIMITS).decode()


def _phrases(kind: ActivityType) -> Iterator[str]:
    """Yield every text in the examples' answers once."""
    texts = (each for example in kind.examples for each in _leaves(example["responses"]) if isinstance(each, str))
    yield from dict.fromkeys(texts)


def _usual(kind: ActivityType, config: object) -> float:
    """Return the number in the middle of the answers to those examples whose config says the same things, else of all."""
    alike = [each for each in kind.examples if isinstance(config, dict) and each["config"].keys() == config.keys()]
    leaves = (each for example in alike or kind.examples for each in _leaves(example["responses"]))
    numbers = [each for each in leaves if isinstance(each, int | float) and not isinstance(each, bool)]
    return median(numbers) if numbers else UNHEARD_OF


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _leaves(below)
    else:
        yield value
