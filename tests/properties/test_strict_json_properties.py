import json
from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from conflicto.platform import strict_json
from conflicto.platform.problems import DomainError
from conflicto.platform.strict_json import CONFIG_LIMITS, RESPONSE_LIMITS, compact

WHITESPACE = st.text(" \t\r\n", max_size=3)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5), max_leaves=30)


def spelled(draw: st.DrawFn, value: object) -> str:
    """Write `value` with random whitespace and escapes."""

    def space() -> str:
        return draw(WHITESPACE)

    def text(string: str) -> str:
        return json.dumps(string, ensure_ascii=draw(st.booleans()))

    if isinstance(value, dict):
        members = [f"{space()}{text(key)}{space()}:{space()}{spelled(draw, item)}{space()}" for key, item in value.items()]
        return "{" + ",".join(members) + (space() if not members else "") + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{space()}{spelled(draw, item)}{space()}" for item in value) + (space() if not value else "") + "]"
    return text(value) if isinstance(value, str) else json.dumps(value)


@st.composite
def spelled_values(draw: st.DrawFn) -> tuple[object, bytes]:
    value = draw(VALUES)
    return value, f"{draw(WHITESPACE)}{spelled(draw, value)}{draw(WHITESPACE)}".encode()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    body = bytearray(draw(spelled_values())[1])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        piece = draw(
            st.binary(max_size=2)
            | st.sampled_from([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\\u0000", b"\\ud800", b"9" * 16])
        )
        body[at : at + draw(st.integers(0, 2))] = piece
    return bytes(body)


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def fail(literal: str) -> object:
    raise AssertionError(literal)


@given(spelled_values())
def test_every_spelling_of_a_value_survives(case):
    value, body = case
    result = compact(body, CONFIG_LIMITS)
    assert json.loads(result) == value
    assert len(result) <= len(body)


@given(spelled_values())
def test_compact_changes_nothing_the_second_time(case):
    once = compact(case[1], CONFIG_LIMITS)
    assert compact(once, CONFIG_LIMITS) == once


@given(VALUES)
def test_whitespace_alone_is_removed(value):
    tight = json.dumps(value, separators=(",", ":")).encode()
    assert compact(json.dumps(value, indent=3).encode(), CONFIG_LIMITS) == tight
    assert compact(tight, CONFIG_LIMITS) == tight


@settings(max_examples=500)
@given(mutated() | st.binary(max_size=40))
@example(b'{"a":"\\')
@example(b"\xef\xbb\xbf1")
def test_damaged_body_is_refused_or_strict(body):
    try:
        result = compact(body, RESPONSE_LIMITS)
    except DomainError:
        return
    strict = json.loads(result.decode(), object_pairs_hook=unique, parse_constant=fail)
    assert strict == json.loads(body)
    assert not any("\0" in text for text in texts(strict))
    assert json.loads(json.dumps(strict, ensure_ascii=False, allow_nan=False).encode()) == strict


@settings(max_examples=500)
@given(mutated() | spelled_values().map(lambda case: case[1]))
def test_quick_way_agrees_with_the_exact_way(body):
    quick = strict_json._quick(body, RESPONSE_LIMITS)
    if quick is not None:
        assert quick == strict_json._exact(body, RESPONSE_LIMITS)
