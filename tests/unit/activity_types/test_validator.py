"""Errors of invalid JSON: a pointer and a message without the sent values."""

from typing import Any

import pytest

from conflicto.activity_types.json_schema.binding import ConfigValues, bind
from conflicto.activity_types.json_schema.validator import MAX_ERRORS, MAX_VALUES_FOR_ALL_ERRORS, SchemaValidator

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    ("schema", "value", "pointer", "message"),
    [
        ({"type": "string"}, 7, "", "has the wrong type"),
        ({"enum": ["a"]}, CANARY, "", "is not one of the allowed values"),
        ({"const": 1}, CANARY, "", "is not the allowed value"),
        ({"pattern": "^a$"}, CANARY, "", "does not have the required format"),
        ({"format": "uuid"}, CANARY, "", "does not have the required format"),
        ({"additionalProperties": False}, {CANARY: 1}, "", "holds a field that is not known here"),
        ({"required": ["a/b"]}, {CANARY: 1}, "/a~1b", "is required"),
        ({"uniqueItems": True}, [CANARY, CANARY], "", "has duplicate items"),
        ({"x-unique": "/a/b"}, [{"a": {"b": CANARY}}, {"a": {"b": CANARY}}], "", "has duplicate items"),
        ({"x-unique": ""}, [CANARY, CANARY], "", "has duplicate items"),
        ({"x-unique": ""}, [f"{CANARY}\u00e9", f"{CANARY}e\u0301"], "", "has duplicate items"),
        ({"x-unique": ""}, {"a": CANARY, "b": CANARY}, "", "has duplicate items"),
        ({"properties": {"points": {"x-sum": 100}}}, {"points": {"a": 99}}, "/points", "must add up to 100"),
        ({"x-sum": 100}, {}, "", "must add up to 100"),
        ({"x-sum": 0.3}, [0.1, 0.1], "", "must add up to 0.3"),
        ({"x-min-sum": 3}, [1, 1, CANARY, True, None], "", "must add up to at least 3"),
        ({"items": {"x-max-sum": 3}}, [[3], [4]], "/1", "must add up to at most 3"),
        ({"x-sum": 3, "x-sum-of": "/n/m"}, [{"n": {"m": 1}}, {"n": 2}, 2], "", "must add up to 3"),
        ({"propertyNames": {"enum": ["a"]}}, {CANARY: 1}, "", "holds a field with a name that is not allowed"),
        ({"oneOf": [{"type": "null"}]}, CANARY, "", "must match exactly one of the allowed forms"),
        ({"oneOf": [{}, {}]}, CANARY, "", "must match exactly one of the allowed forms"),
        ({"anyOf": [{"type": "null"}]}, CANARY, "", "matches none of the allowed forms"),
        ({"items": {"minimum": 3}}, [4, 2], "/1", "must be at least 3"),
        ({"exclusiveMinimum": 3}, 3, "", "must be more than 3"),
        ({"maximum": 3}, 4, "", "must be at most 3"),
        ({"exclusiveMaximum": 3}, 3, "", "must be less than 3"),
        ({"multipleOf": 3}, 4, "", "must be a multiple of 3"),
        ({"minLength": 30}, CANARY, "", "must have at least 30 characters"),
        ({"maxLength": 3}, CANARY, "", "must have at most 3 characters"),
        ({"minItems": 3}, [CANARY], "", "must have at least 3 items"),
        ({"maxItems": 0}, [CANARY], "", "must have at most 0 items"),
        ({"minProperties": 3}, {CANARY: 1}, "", "must have at least 3 fields"),
        ({"maxProperties": 0}, {CANARY: 1}, "", "must have at most 0 fields"),
        ({"items": False}, [CANARY], "/0", "does not fit"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_faults_have_place_and_cause_and_echo_nothing(schema: dict[str, Any], value: Any, pointer: str, message: str) -> None:
    faults = SchemaValidator(schema, "/config").errors(value)

    assert [(each.pointer, each.message) for each in faults] == [("/config" + pointer, message)]
    assert CANARY not in str(faults)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"x-sum": 100}, {"a": 60, "b": 40}),
        ({"x-sum": 0.3}, [0.1, 0.2]),
        ({"x-sum": 1}, [0.1] * 10),
        ({"x-sum": 0}, [1e308, 5e-324, -1e308, -5e-324]),
        ({"x-sum": 2**53 + 1}, [2**53, 1.0]),
        ({"x-sum": 100}, "100"),
        ({"x-sum": "/total"}, {"a": 1}),
        ({"x-sum": 3, "x-sum-of": "/n"}, {"a": {"n": 1}, "b": {"n": 2}, "c": {}}),
        ({"x-min-sum": 1, "x-max-sum": 3}, [1, 2]),
    ],
    ids=str,
)
def test_sums_are_exact_in_decimal(schema: dict[str, Any], value: Any) -> None:
    assert SchemaValidator(schema, "").errors(value) == ()


@pytest.mark.parametrize("value", [[{"id": 1}, {"id": 2}, {}, {}, "x", "x", {"id": None}, {"id": None}], {"id": 1}, None])
def test_unique_checks_only_texts_and_numbers_of_lists(value: Any) -> None:
    assert SchemaValidator({"x-unique": "/id"}, "").errors(value) == ()


@pytest.mark.parametrize(
    ("items", "value"),
    [
        ({"type": "string"}, list(range(MAX_VALUES_FOR_ALL_ERRORS))),
        ({"type": "string"}, [[0] * 20] * 20),
        ({"type": "string"}, [{"a": 1, "b": 2, "c": {"d": 4}}] * 100),
        ({"enum": list(range(2_000))}, ["x"] * 20),
    ],
    ids=["many", "nested", "objects", "long choice"],
)
def test_of_expensive_faults_the_first_is_reported(items: dict[str, Any], value: list[Any]) -> None:
    assert [each.pointer for each in SchemaValidator({"items": items}, "").errors(value)] == ["/0"]


def test_at_most_twenty_faults_are_reported() -> None:
    assert len(SchemaValidator({"items": {"type": "string"}}, "").errors(list(range(100)))) == MAX_ERRORS


CONFIG = {
    "options": [{"id": "a"}, {"id": "b"}, {"no": 1}],
    "most": 2,
    "single": False,
    "many": True,
    "odd": "x",
    "half": 1.5,
    "none": 0,
    "a/b": 1,
}


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        ({"x-in": "/options/*/id"}, {"enum": ["a", "b"]}),
        ({"x-in": "/options/*"}, {"enum": []}),
        ({"x-in": "/missing/*"}, {"enum": []}),
        ({"x-in": "/levels/*"}, {"enum": [1, 2]}),
        ({"x-min": "/most"}, {"minimum": 2}),
        ({"x-min": "/most", "minimum": 3}, {"minimum": 3}),
        ({"x-max": "/most", "maximum": 3}, {"maximum": 2}),
        ({"x-max": "/half"}, {"maximum": 1.5}),
        ({"x-max": "/missing"}, {}),
        ({"x-max": "/odd"}, {}),
        ({"x-max-items": "/single"}, {"maxItems": 1}),
        ({"x-max-items": "/many"}, {}),
        ({"x-max-length": "/half"}, {}),
        ({"x-max-length": "/a~1b"}, {"maxLength": 1}),
        ({"x-multiple-of": "/half"}, {"multipleOf": 1.5}),
        ({"x-multiple-of": "/none"}, {}),
        ({"x-min-items": "/most", "x-min-length": "/most", "minLength": 3}, {"minItems": 2, "minLength": 3}),
        ({"x-sum": "/most", "x-sum-of": "/n"}, {"x-sum": 2, "x-sum-of": "/n"}),
        ({"x-sum": 7, "x-max-sum": "/missing"}, {"x-sum": 7}),
        ({"x-required": "/options/*/id", "required": ["b", "c"]}, {"required": ["b", "c", "a"]}),
        ({"propertyNames": {"x-in": "/levels/*"}}, {"propertyNames": {"enum": ["1", "2"]}}),
        ({"properties": {"x": {"x-max": "/most"}}}, {"properties": {"x": {"maximum": 2}}}),
        ({"items": {"x-max": "/most"}}, {"items": {"maximum": 2}}),
        ({"items": False, "oneOf": [{"x-max": "/most"}]}, {"items": False, "oneOf": [{"maximum": 2}]}),
    ],
    ids=str,
)
def test_limits_are_taken_from_the_config_and_its_defaults(schema: dict[str, Any], plain: dict[str, Any]) -> None:
    assert bind(schema, ConfigValues(CONFIG, {"levels": [1, 2], "most": 9})) == plain


def test_a_config_that_is_no_object_sets_no_limits() -> None:
    assert ConfigValues([1, 2], {"most": 9}).at("/most") == [9]
    assert ConfigValues(None, {}).at("/most") == []


def test_an_empty_choice_refuses_everything() -> None:
    check = SchemaValidator(bind({"x-in": "/options/*/id"}, ConfigValues({"options": []}, {})), "")

    assert check.errors("a")
    assert check.errors(None)
