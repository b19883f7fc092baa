"""Aggregation specs: accepted ones, and the errors of the others."""

from typing import Any

import msgspec
import pytest

from conflicto.aggregation.pointer import MISSING, find, parse
from conflicto.aggregation.spec import parse_spec, validate_spec
from conflicto.platform.problems import InvalidInput

GOOD: list[Any] = [
    {},
    {"a": {"path": "", "op": "count"}},
    {f"n{number}": {"path": "/x/0", "op": "words", "top": 1000, "split": False} for number in range(8)},
    {"a": {"path": "/a~1b~0c", "op": "number", "bins": 100, "min": -1.5, "max": 2}},
    {"a": {"path": "", "op": "rank", "of": ["a", {"b": 1}, None]}, "b": {"path": "", "op": "votes"}},
    {"a": {"path": "", "op": "rank", "rule": "modified"}, "b": {"path": "", "op": "rank", "rule": "borda", "of": "/options/*/id"}},
    {"a": {"path": "", "op": "rank", "rule": "borda", "of": ["a"], "unranked": "zero"}},
    {"a": {"path": "", "op": "words", "stop_words": ["de", "ar"]}, "b": {"path": "", "op": "words", "stop_words": "/language"}},
    {"a": {"path": "", "op": "number", "bins": "/bins", "min": "/low"}, "b": {"path": "", "op": "count", "top": "/top"}},
    {"a": {"path": "", "op": "amounts", "of": "/options/*/id"}, "b": {"path": "", "op": "pairs", "of": ["a"], "with": "/b/*"}},
    {"a": {"path": "", "op": "grid", "x": "/0", "columns": 30, "rows": "/rows", "x_max": 3, "y_min": "/low", "names": ["a"]}},
    {"a": {"path": "", "op": "score", "rule": "largest", "key": ""}, "b": {"path": "", "op": "median", "percentiles": [1, 99]}},
    {
        "a": {
            "path": "",
            "op": "score",
            "all": [{"path": "/x", "key": "/x", "tolerance": "/w"}, {"path": "", "key": "", "rule": "share"}],
        }
    },
    {"a": {"path": "", "op": "score", "key": "/correct", "points": 1, "speed": True, "tolerance": 0}},
]
BAD: list[tuple[Any, list[str]]] = [
    ([], [""]), ("count", [""]), ({f"n{number}": {"path": "", "op": "count"} for number in range(9)}, [""]),
    ({"A": {"path": "", "op": "count"}}, [""]), ({"a" * 33: {}}, [""]), ({"a": 1}, ["/a"]), ({"a": {}}, ["/a/path", "/a/op"]),
    ({"a": {"path": "x", "op": "count"}}, ["/a/path"]), ({"a": {"path": "/~2", "op": "count"}}, ["/a/path"]),
    ({"a": {"path": 1, "op": ["count"]}}, ["/a/path", "/a/op"]), ({"a": {"path": "/" * 33, "op": "count"}}, ["/a/path"]),
    ({"a": {"path": "", "op": "count", "top": 0}}, ["/a/top"]), ({"a": {"path": "", "op": "count", "top": True}}, ["/a/top"]),
    ({"a": {"path": "", "op": "count", "bins": 5}}, ["/a"]),
    ({"a": {"path": "", "op": "number", "bins": 101, "min": "0"}}, ["/a/bins", "/a/min"]),
    ({"a": {"path": "", "op": "number", "min": 2, "max": 2}}, ["/a"]), ({"a": {"path": "", "op": "words", "split": 1}}, ["/a/split"]),
    ({"a": {"path": "", "op": "rank", "of": []}}, ["/a/of"]), ({"a": {"path": "", "op": "rank", "of": ["x" * 1100]}}, ["/a/of"]),
    ({"a": {"path": "", "op": "rank", "of": "options"}}, ["/a/of"]), ({"a": {"path": "", "op": "rank", "of": ""}}, ["/a/of"]),
    ({"a": {"path": "", "op": "rank", "rule": "borda"}}, ["/a"]), ({"a": {"path": "", "op": "rank", "unranked": "zero"}}, ["/a"]),
    ({"a": {"path": "", "op": "rank", "rule": "condorcet", "unranked": 0}}, ["/a/rule", "/a/unranked"]),
    ({"a": {"path": "", "op": "words", "stop_words": ["xx"]}}, ["/a/stop_words"]),
    ({"a": {"path": "", "op": "words", "stop_words": []}}, ["/a/stop_words"]),
    ({"a": {"path": "", "op": "words", "stop_words": "de"}}, ["/a/stop_words"]),
    ({"a": {"path": "", "op": "score"}}, ["/a"]), ({"a": {"path": "", "op": "score", "key": "", "all": [{"path": "", "key": ""}]}}, ["/a"]),
    ({"a": {"path": "", "op": "score", "all": []}}, ["/a/all"]), ({"a": {"path": "", "op": "score", "all": [{"path": ""}]}}, ["/a/all"]),
    ({"a": {"path": "", "op": "score", "all": [{"path": "", "key": "x"}]}}, ["/a/all"]),
    ({"a": {"path": "", "op": "score", "all": [{"path": "", "key": "", "points": 1}]}}, ["/a/all"]),
    ({"a": {"path": "", "op": "score", "rule": "share", "all": [{"path": "", "key": ""}]}}, ["/a"]),
    ({"a": {"path": "", "op": "score", "key": "", "rule": "most"}}, ["/a/rule"]),
    ({"a": {"path": "", "op": "score", "key": "", "partial": "half"}}, ["/a/partial"]),
    ({"a": {"path": "", "op": "score", "key": "", "partial": "closeness", "tolerance": 1}}, ["/a"]),
    ({"a": {"path": "", "op": "score", "key": "", "partial": "closeness", "rule": "distance"}}, ["/a"]),
    ({"a": {"path": "", "op": "score", "key": "", "partial": "members", "rule": "share"}}, ["/a"]),
    ({"a": {"path": "", "op": "score", "partial": "elements", "all": [{"path": "", "key": ""}]}}, ["/a"]),
    ({"a": {"path": "", "op": "amounts"}, "b": {"path": "", "op": "pairs", "of": ["a"] * 51}}, ["/a/of", "/b/of"]),
    ({"a": {"path": "", "op": "amounts", "of": ["a"], "missing": "none", "amount": "x"}}, ["/a/missing", "/a/amount"]),
    ({"a": {"path": "", "op": "grid", "columns": 31, "rows": "rows", "names": [1]}}, ["/a/columns", "/a/rows", "/a/names"]),
    ({"a": {"path": "", "op": "grid", "x_min": 1}}, ["/a"]), ({"a": {"path": "", "op": "grid", "y_min": 2, "y_max": 2}}, ["/a"]),
    ({"a": {"path": "", "op": "median", "percentiles": [0]}}, ["/a/percentiles"]),
    ({"a": {"path": "", "op": "score", "key": "x", "tolerance": -1}}, ["/a/key", "/a/tolerance"]),
    ({"a": {"path": "", "op": "sum"}, "b": {"path": "", "op": "count", "top": 1001}}, ["/a/op", "/b/top"]),
]  # fmt: skip


@pytest.mark.parametrize("spec", GOOD)
def test_a_good_spec_is_taken(spec: Any) -> None:
    text = msgspec.json.encode(spec).decode()
    validate_spec(text)
    assert list(parse_spec(text)) == list(spec)


@pytest.mark.parametrize(("spec", "pointers"), BAD)
def test_a_bad_spec_is_refused_where_it_is_wrong(spec: Any, pointers: list[str]) -> None:
    text = msgspec.json.encode(spec).decode()
    with pytest.raises(InvalidInput) as refused:
        validate_spec(text)
    assert [each.pointer for each in refused.value.errors] == [f"/aggregate{pointer}" for pointer in pointers]
    assert parse_spec(text) == {}


def test_without_a_spec_nothing_is_counted() -> None:
    validate_spec(None)
    assert parse_spec(None) == {} == parse_spec("null")


def test_pointers_follow_rfc_6901() -> None:
    value = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8, "e^f": 3}
    for text, found in (
        ("", value),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/m~0n", 8),
    ):
        steps = parse(text)
        assert steps is not None
        assert find(value, steps) == found
    for nowhere in (("foo", "2"), ("foo", "-"), ("foo", "00"), ("foo", "-1"), ("foo", "0", "0"), ("x",), ("foo", "\u0660")):
        assert find(value, nowhere) is MISSING
