"""Validation of arbitrary data: a clear result, and accepted data means what the docs say."""

import copy
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.activity_types.json_schema.binding import ConfigValues, bind
from conflicto.activity_types.json_schema.validator import SchemaValidator
from conflicto.activity_types.registry import installed, load_registry

TYPES = installed().types
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
IDS = st.text("abc", min_size=1, max_size=2)


def text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@st.composite
def bent(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """An example's type, config, secret and response, with one part replaced by arbitrary data."""
    known = draw(st.sampled_from(TYPES))
    example = copy.deepcopy(draw(st.sampled_from(known.examples)))
    whole = {
        "config": example["config"],
        "secret": example.get("secret", {}),
        "answer": draw(st.sampled_from(example["responses"])),
    }
    for _ in range(draw(st.integers(0, 2))):
        place, strange = whole[draw(st.sampled_from(sorted(whole)))], draw(JSON)
        while isinstance(place, dict | list) and place:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            below = place[key]
            if not isinstance(below, dict | list) or draw(st.booleans()):
                place[key] = strange
                break
            place = below
    return known, whole["config"], whole["secret"], whole["answer"]


@settings(max_examples=400)
@given(bent())
def test_every_json_gets_an_answer_with_pointers(case: tuple[Any, Any, Any, Any]) -> None:
    known, config, secret, answer = case

    faults = known.content_errors(text(config), text(secret))
    check = known.response_validator(text(config))

    assert all(each.pointer.startswith(("/config", "/secret")) for each in faults)
    assert (check is None) == any(each.pointer.startswith("/config") for each in faults)
    for value in (answer, None, config):
        errors = check.errors(value) if check else ()
        assert all(each.pointer.startswith("/response_data") for each in errors)
        assert not check or bool(errors) != check.is_valid(value)


@settings(max_examples=200)
@given(
    ids=st.lists(IDS, min_size=2, max_size=6, unique=True),
    multiple=st.sampled_from([None, True, False]),
    most=st.sampled_from([None, 1, 2, 3]),
    choices=st.lists(IDS, max_size=5),
)
def test_choices_are_taken_exactly_if_the_config_allows_them(
    ids: list[str], multiple: bool | None, most: int | None, choices: list[str]
) -> None:
    config: dict[str, Any] = {"question": "?", "options": [{"id": each, "text": each} for each in ids]}
    config |= {name: value for name, value in (("multiple", multiple), ("max_choices", most)) if value is not None}

    known = load_registry().get("poll")
    check = known.response_validator(text(config))

    assert known.content_errors(text(config), None) == ()
    assert check is not None
    limit = min(most or 50, 50 if multiple else 1)
    fits = 1 <= len(choices) <= limit and len(set(choices)) == len(choices) and set(choices) <= set(ids)
    assert check.is_valid({"choices": choices}) == fits


AMOUNTS = st.one_of(st.integers(-50, 150), st.integers(-500, 1500).map(lambda each: each / 10))


@settings(max_examples=300)
@given(values=st.lists(AMOUNTS, max_size=8), limit=AMOUNTS, is_object=st.booleans(), has_member=st.booleans())
def test_sums_are_taken_exactly_if_the_decimal_sum_fits(
    values: list[float], limit: float, is_object: bool, has_member: bool
) -> None:
    total = sum(Fraction(repr(each)) for each in values)
    elements: list[Any] = [{"n": each} for each in values] if has_member else list(values)
    value = {str(place): each for place, each in enumerate(elements)} if is_object else elements
    rules = {
        "x-sum": total == Fraction(repr(limit)),
        "x-max-sum": total <= Fraction(repr(limit)),
        "x-min-sum": total >= Fraction(repr(limit)),
    }

    for keyword, fits in rules.items():
        schema = {keyword: "/limit"} | ({"x-sum-of": "/n"} if has_member else {})
        assert SchemaValidator(bind(schema, ConfigValues({"limit": limit}, {})), "").is_valid(value) == fits
        assert SchemaValidator(bind(schema, ConfigValues({}, {})), "").is_valid(value)
        assert SchemaValidator(schema | {keyword: float(total)}, "").is_valid(value)


@settings(max_examples=200)
@given(low=st.none() | st.integers(-5, 8), high=st.none() | st.integers(-5, 8), rating=st.integers(-7, 10))
def test_ratings_are_taken_exactly_within_the_scale(low: int | None, high: int | None, rating: int) -> None:
    config = {"question": "?"} | {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    least, most = (1 if low is None else low), (5 if high is None else high)

    known = load_registry().get("rating")
    check = known.response_validator(text(config))

    assert (known.content_errors(text(config), None) == ()) == (check is not None)
    assert (check is not None) == (least <= most)
    if check is not None:
        assert check.is_valid({"rating": rating}) == (least <= rating <= most)
