"""Generated answers are valid for any schema and look like those of a group."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conflicto.activity_types.json_schema.flattening import flatten
from conflicto.activity_types.json_schema.members import replace_at, value_at
from conflicto.activity_types.json_schema.validator import SchemaValidator
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.model import ActivityType
from conflicto.activity_types.registry import load_registry
from conflicto.activity_types.response_generator.generator import ResponseGenerator
from conflicto.activity_types.response_generator.sampling import NothingToSample, ResponseSampler, SamplingHints

TYPES = {each.name: each for each in load_registry().all()}
PHRASES = ["one", "two words", "three more words"]
OTHER = "019ab0c2-3f8e-7a51-8d2b-1f0e5a6c7d90"


def imitation(name: str, config: dict[str, Any], secret: dict[str, Any] | None = None, **more: Any) -> ResponseGenerator:
    made = ResponseGenerator.for_activity(TYPES[name], json.dumps(config), json.dumps(secret) if secret else None, **more)
    assert made is not None
    return made


def crowd(made: ResponseGenerator, people: int = 200, skill: float = 0.5) -> list[Any]:
    """Return the responses of `people` participants."""
    chances = [Random(each) for each in range(people)]
    return [json.loads(text) for chance in chances if (text := made.generate(chance, skill=skill)) is not None]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("seed", range(5))
def test_every_answer_fits_every_example(name: str, seed: int) -> None:
    for example in TYPES[name].examples:
        made = imitation(name, example["config"], example.get("secret"), seed=seed)
        made.add_target(OTHER, "{}")
        check = TYPES[name].response_validator(json.dumps(example["config"]))
        answers = crowd(made, 50)
        assert answers
        assert check is not None
        assert all(map(check.is_valid, answers))


def test_a_config_that_does_not_fit_has_no_imitation() -> None:
    assert ResponseGenerator.for_activity(TYPES["poll"], '{"question": 1}', None) is None


def test_rooms_have_favourites_of_their_own() -> None:
    config = {"question": "?", "options": [{"id": each, "text": each} for each in "abcde"]}
    tops = set()
    for seed in range(12):
        counts = Counter(each["choices"][0] for each in crowd(imitation("poll", config, seed=seed)))
        tops.add(counts.most_common(1)[0][0])
        assert counts.most_common(1)[0][1] > 200 / 5
    assert len(tops) > 2


def test_a_ranking_is_whole_and_a_choice_is_not() -> None:
    options = [{"id": each, "text": each} for each in "abcde"]
    rankings = crowd(imitation("ranking", {"question": "?", "options": options}))
    choices = crowd(imitation("poll", {"question": "?", "options": options, "multiple": True}))

    assert sum(len(each["ranking"]) == 5 for each in rankings) > 140
    assert max(len(each["choices"]) for each in choices) <= 3


def test_numbers_gather_around_one_of_a_deck() -> None:
    deck = ["0", "1", "2", "3", "5", "8", "13", "21", "?"]
    counts = Counter(each["card"] for each in crowd(imitation("poker", {"story": "?", "deck": deck})))

    assert counts["?"] < 30
    assert counts["0"] + counts["21"] < 40


def test_consensus_grows_in_the_next_round() -> None:
    config = {"question": "?", "min": 0, "max": 100}
    first, third = (
        [each["rating"] for each in crowd(imitation("rating", config, round_number=round_number))] for round_number in (1, 3)
    )

    assert spread(third) < spread(first) * 0.8


def spread(values: list[int]) -> float:
    middle = sum(values) / len(values)
    return sum(abs(each - middle) for each in values) / len(values)


def test_people_guess_near_the_truth_where_it_is_known() -> None:
    guesses = [each["value"] for each in crowd(imitation("estimate", {"question": "?"}, {"correct": 330}))]

    assert 300 < sorted(guesses)[100] < 360
    assert min(guesses) < 250


def test_the_share_of_correct_answers_grows_with_knowledge() -> None:
    config = {"question": "?", "options": [{"id": each, "text": each} for each in "abcd"]}
    right = [
        sum(each["choice"] == "b" for each in crowd(imitation("quiz", config, {"correct": "b"}), skill=skill))
        for skill in (0.0, 0.5, 1.0)
    ]

    assert right[0] < right[1] < right[2] == 200


def test_no_bot_repeats_an_answer_but_words_recur() -> None:
    wall = [each["text"] for each in crowd(imitation("wall", {"question": "?", "max_length": 280}))]
    words = Counter(word for each in crowd(imitation("words", {"question": "?", "max_words": 3})) for word in each["words"])

    assert len(wall) == len(set(wall)) > 10
    assert words.most_common(1)[0][1] > 20


def test_nobody_supports_a_question_before_there_is_one() -> None:
    made = imitation("questions", {"prompt": "?"})
    before = crowd(made, 5)
    made.add_target(OTHER, '{"text":"Why?"}')
    made.add_target("a vote of someone", json.dumps({"target": OTHER, "vote": 1}))
    after = crowd(made)

    assert all("text" in each for each in before)
    assert {each["target"] for each in after if "target" in each} == {OTHER}
    assert {each["vote"] for each in after if "vote" in each} == {1}


def test_phrases_are_those_of_the_language_or_english() -> None:
    phrases = TYPES["wall"].rehearsal_hints.phrases
    for language, expected in (("fr", phrases["fr"]), ("xx", phrases["en"])):
        answers = crowd(imitation("wall", {"question": "?", "max_length": 280}, language=language))
        assert {each["text"] for each in answers} <= set(expected)


def test_a_type_without_hints_is_sampled_from_its_examples(tmp_path: Path) -> None:
    folder = tmp_path / "mood"
    files = {
        "activity.json": {"type": "mood", "version": "1", "title": "Mood", "icon": "🙂", "sdk": "1"},
        "config.schema.json": {"type": "object", "properties": {"question": {"type": "string"}}},
        "response.schema.json": {
            "type": "object", "additionalProperties": False, "required": ["face", "code"],
            "properties": {
                "face": {"$ref": "#/$defs/face"}, "note": {"type": "string"}, "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
            },
            "$defs": {"face": {"enum": ["up", "down"]}},
        },
        "examples/one.json": {"config": {"question": "?"}, "responses": [{"face": "up", "note": "Fine", "code": "ABC"}]},
    }  # fmt: skip
    (folder / "examples").mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    kind: ActivityType = load_type(folder)

    made = ResponseGenerator.for_activity(kind, '{"question": "?"}', None)

    assert made is not None
    answers = crowd(made, 30)
    assert len(answers) == 30
    assert {each["code"] for each in answers} == {"ABC"}
    assert {each["face"] for each in answers} == {"up", "down"}


SCHEMAS = [
    {"const": 7},
    {"enum": [1, "a", None]},
    {"type": "null"},
    {"type": "boolean"},
    {"type": ["string", "null"], "maxLength": 4},
    {"type": "integer", "minimum": 3, "maximum": 9},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "multipleOf": 0.25, "minimum": 0, "maximum": 10},
    {"type": "integer"},
    {"type": "integer", "minimum": -10_000_000},
    {"type": "integer", "minimum": 5, "maximum": 5},
    *({"type": "string", "format": each} for each in ("date", "date-time", "time", "email", "uri")),
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 3}, "minItems": 2, "maxItems": 2},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 2},
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}, "required": ["a"]},
    {"oneOf": [{"type": "string", "format": "uuid"}, {"const": 1}]},
    {"type": "integer", "minimum": 3, "maximum": 11, "multipleOf": 4},
    *(
        {"type": "object", "propertyNames": {"enum": ["a", "b", "c"]}, "additionalProperties": values, **rules}
        for values, rules in (
            ({"type": "integer", "minimum": 0, "maximum": 100}, {"x-sum": 100}),
            ({"type": "integer", "minimum": 0, "multipleOf": 5}, {"x-sum": 100, "required": ["a", "b", "c"]}),
            ({"type": "number", "minimum": 0, "maximum": 1}, {"x-sum": 1, "minProperties": 2}),
            ({"type": "integer", "minimum": 1, "maximum": 60}, {"x-max-sum": 50, "maxProperties": 2}),
            ({"type": "integer", "minimum": -5, "exclusiveMaximum": 40}, {"x-min-sum": 70, "required": ["a", "b", "c"]}),
            ({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, {"x-sum": 9, "x-sum-of": "/n"}),
        )
    ),
    {
        "type": "array",
        "minItems": 2,
        "maxItems": 3,
        "x-unique": "/k",
        "x-sum": 10,
        "x-sum-of": "/n",
        "items": {
            "type": "object",
            "required": ["k", "n"],
            "properties": {"k": {"enum": ["x", "y", "z"]}, "n": {"type": "integer", "minimum": 1, "maximum": 9}},
        },
    },
    {"type": "object", "propertyNames": {"enum": []}, "additionalProperties": {"type": "integer"}},
    {"type": "object", "required": ["k"], "anyOf": [{"properties": {"k": {"const": 1}}}, {"properties": {"k": {"const": 2}}}]},
    {"allOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"$ref": "#/$defs/low"}], "$defs": {"low": {"maximum": 3}}},
]


@given(st.sampled_from(SCHEMAS), st.integers(0, 2**32), st.integers(0, 2**32))
def test_what_is_drawn_fits_its_schema(schema: dict[str, Any], seed: int, chance: int) -> None:
    value = ResponseSampler(schema, SamplingHints(phrases=PHRASES), seed).sample(Random(chance))

    assert SchemaValidator(schema, "").is_valid(value), (schema, value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "uuid"},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
        {"oneOf": [{"type": "string"}, {"type": "string", "format": "uuid"}]},
    ],
)
def test_an_empty_sampler_is_reported(schema: dict[str, Any]) -> None:
    with pytest.raises(NothingToSample):
        ResponseSampler(schema, SamplingHints(phrases=[]), 1).sample(Random(1))


def test_array_is_as_long_as_it_must_be_though_the_same_is_drawn_again() -> None:
    schema = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 1}, "minItems": 2}
    assert ResponseSampler(schema, SamplingHints(phrases=[]), 1).sample(Random(1))[:2] == [1, 1]
    with pytest.raises(NothingToSample):
        ResponseSampler(schema | {"uniqueItems": True}, SamplingHints(phrases=[]), 1).sample(Random(1))


def test_points_are_given_to_names_of_the_config_and_favour_some() -> None:
    schema = {
        "type": "object", "propertyNames": {"enum": ["a", "b", "c", "d"]}, "x-sum": 100,
        "additionalProperties": {"type": "integer", "minimum": 0},
    }  # fmt: skip
    sampler = ResponseSampler(schema, SamplingHints(phrases=[]), 1)
    people = [sampler.sample(Random(each)) for each in range(200)]
    means = [sum(each.get(name, 0) for each in people) / 200 for name in "abcd"]

    assert sum(means) == pytest.approx(100)
    assert max(means) > 35
    assert min(means) > 0


def test_sums_that_no_values_have_are_left_to_the_validator() -> None:
    schema = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 3}, "maxItems": 2, "x-sum": 100}

    assert not SchemaValidator(schema, "").is_valid(ResponseSampler(schema, SamplingHints(phrases=[]), 1).sample(Random(1)))


def test_optional_members_without_a_sample_are_left_out() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"const": 1}}, "required": ["b"]}

    assert ResponseSampler(schema, SamplingHints(phrases=[]), 1).sample(Random(1)) == {"b": 1}


def test_all_of_is_one_schema() -> None:
    part = {"allOf": [{"enum": [1, 2], "required": ["a"]}, {"enum": [2, 3], "required": ["b"], "maxItems": 3}], "maxItems": 5}

    assert flatten(part, part) == {"enum": [2], "required": ["a", "b"], "maxItems": 3}


def test_pointers_lead_into_objects() -> None:
    assert value_at({"a/b": {"c": 1}}, "/a~1b/c") == 1
    assert value_at([1], "/0") is None
    assert replace_at({"a": {"b": 1}, "c": 2}, "/a/b", 9) == {"a": {"b": 9}, "c": 2}
    assert replace_at({"a": 1}, "/b/c", 9) == {"a": 1}
    assert replace_at({"a": 1}, "", 9) == 9


@pytest.mark.parametrize(
    "bounds",
    [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "integer", "exclusiveMinimum": 0, "maximum": 1},
        {"type": "integer", "minimum": 1, "exclusiveMaximum": 2},
        {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    ],
)
def test_numbers_stay_off_ends_that_are_not_allowed(bounds: dict[str, Any]) -> None:
    check = SchemaValidator(bounds, "")
    drawn = [
        ResponseSampler(bounds, SamplingHints(phrases=PHRASES), seed).sample(Random(chance))
        for seed in range(40)
        for chance in range(20)
    ]

    assert [each for each in drawn if not check.is_valid(each)] == []
