"""Property tests of a type: configs and answers generated from its schemas are valid and counted.

`conflicto types test` runs them after the conformance kit. The same seed yields the same values.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from conflicto.activity_types.json_schema.validator import SchemaValidator
from conflicto.activity_types.model import CONFIG
from conflicto.activity_types.response_generator.generator import ResponseGenerator
from conflicto.activity_types.response_generator.sampling import NothingToSample, ResponseSampler, SamplingHints
from conflicto.aggregation.operation import ResponseMetadata, RoundContext
from conflicto.aggregation.pointer import MISSING, find
from conflicto.aggregation.spec import parse_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.activity_types.model import ActivityType
    from conflicto.aggregation.operation import State
    from conflicto.aggregation.spec import Spec, SpecEntry

ROUNDS = 50
"""Generated configs beside those of the examples; most fit the rules of their type."""

ANSWERS = 30
"""Answers to each config."""

WORDS = ("amber", "birch", "cedar", "delta", "ember", "flint", "grove", "haven", "iris", "juniper", "kelp", "lotus")
SCALE_S = 60

_decode = msgspec.json.Decoder().decode


def property_failures(activity_type: ActivityType, seed: int = 0) -> Iterator[str]:
    """Yield a message for each property that does not hold.

    Every generated answer is valid. Every count equals a recount after answers were added, removed
    and added again, in any order.
    """
    rng = Random(seed)  # noqa: S311 - the same values each time
    tested = 0
    for number, (config, secret) in enumerate(_contents(activity_type, rng)):
        if activity_type.content_errors(config, secret):
            continue
        answers = _answers(activity_type, config, secret, rng, number)
        tested += bool(answers)
        yield from _count_failures(activity_type, config, secret, answers, rng)
    if not tested:
        yield "no config of the examples or the schema has an answer that can be generated"


def _contents(activity_type: ActivityType, rng: Random) -> Iterator[tuple[str, str | None]]:
    """Yield configs with secrets: those of the examples, then some that the schema yields."""
    for example in activity_type.examples:
        yield _text(example["config"]), _text(example["secret"]) if "secret" in example else None
    hints = SamplingHints(phrases=WORDS, has_many_phrases=False)
    for seed in range(ROUNDS):
        try:
            config = ResponseSampler(activity_type.config_schema, hints, seed).sample(rng)
            if not SchemaValidator(activity_type.config_schema, CONFIG).is_valid(config):
                continue
            yield _text(config), _secret(activity_type, config, hints, seed, rng)
        except NothingToSample:
            continue


def _secret(activity_type: ActivityType, config: object, hints: SamplingHints, seed: int, rng: Random) -> str | None:
    schema = activity_type.bound_secret_schema(config)
    return None if schema is None else _text(ResponseSampler(schema, hints, seed).sample(rng))


def _answers(activity_type: ActivityType, config: str, secret: str | None, rng: Random, seed: int) -> list[str]:
    generator = ResponseGenerator.for_activity(activity_type, config, secret, seed=seed)
    generated = [generator.generate(rng) for _ in range(ANSWERS)] if generator else []
    return [answer for answer in generated if answer is not None]


def _count_failures(activity_type: ActivityType, config: str, secret: str | None, answers: list[str], rng: Random) -> Iterator[str]:
    """Yield names of the aggregate whose running count differs from a recount."""
    spec: Spec = parse_spec(activity_type.aggregate)
    context = RoundContext(None if secret is None else _decode(secret), 0, SCALE_S, _decode(config))
    for name, entry in spec.items():
        running, kept = _running_count(entry, context, answers, rng)
        if running.result() != _count(entry, context, kept).result():
            yield f"config {config}: {name} of the aggregate differs from a recount of {len(kept)} answers"


def _running_count(entry: SpecEntry, context: RoundContext, answers: list[str], rng: Random) -> tuple[State, list[tuple[int, str]]]:
    """Return a state after all answers were added and some removed, and the answers that stay."""
    numbered = list(enumerate(answers, start=1))
    rng.shuffle(numbered)
    state, kept = _count(entry, context, numbered), []
    fold = entry.fold(context)
    for number, answer in numbered:
        if rng.random() < 1 / 2:
            kept.append((number, answer))
        elif (read := _read(fold, entry, number, answer)) is not None:
            state.remove(read)
    return state, sorted(kept)


def _count(entry: SpecEntry, context: RoundContext, answers: list[tuple[int, str]]) -> State:
    fold = entry.fold(context)
    state = fold.empty()
    for number, answer in answers:
        if (read := _read(fold, entry, number, answer)) is not None:
            state.add(read)
    return state


def _read(fold: Any, entry: SpecEntry, number: int, answer: str) -> Any | None:  # noqa: ANN401 - each operation's own
    found = find(_decode(answer), entry.path)
    return None if found is MISSING else fold.read(found, ResponseMetadata(number, number, number, str(number)))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
