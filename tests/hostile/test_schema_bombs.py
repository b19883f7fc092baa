"""Hostile schemas of custom types (reliability J-19, J-20).

Nothing is fetched, and no schema or value costs much time.
"""

import json
import socket
import time
from typing import Any

import pytest

from conflicto.activity_types.errors import UnsupportedSchema
from conflicto.activity_types.json_schema.subset import MAX_PATTERN_CHARS, subset_errors
from conflicto.activity_types.json_schema.validator import compile_schema

MAX_CHECK_S = 0.05
"""Processor time for one schema or one value, seconds."""

QUICK_OR_REFUSED = [
    "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){12}", "^([a-zA-Z]+)*$", "(?=a)a", r"(a)\1", "(?<=a)b", "a{1,900}{1,900}",
    "(" * 60 + "a" + ")" * 60, "x" * MAX_PATTERN_CHARS, "x" * 10_000,
]  # fmt: skip


def taken(schema: Any) -> bool:
    """Return whether a schema from a folder would be accepted."""
    if any(subset_errors(schema)):
        return False
    try:
        compile_schema(schema)
    except UnsupportedSchema:
        return False
    return True


@pytest.mark.catalogue("J-19")
@pytest.mark.parametrize("pattern", QUICK_OR_REFUSED, ids=lambda pattern: pattern[:20])
@pytest.mark.timed
def test_a_pattern_is_refused_or_quick(pattern: str) -> None:
    schema, value = {"pattern": pattern}, json.dumps("a" * 5_000 + "!").encode()
    began = time.thread_time()
    if taken(schema):
        validator = compile_schema(schema)
        validator.is_valid(json.loads(value))

    assert time.thread_time() - began < 10 * MAX_CHECK_S


@pytest.mark.catalogue("J-19")
@pytest.mark.parametrize("levels", [14, 25, 300])
@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
@pytest.mark.timed
def test_a_schema_that_unfolds_without_end_is_refused_at_once(keyword: str, levels: int) -> None:
    twice = {f"d{level}": {keyword: [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)}
    began = time.thread_time()

    assert not taken({"$defs": twice | {f"d{levels}": {}}, "$ref": "#/$defs/d0"})
    assert time.thread_time() - began < MAX_CHECK_S


@pytest.mark.catalogue("J-19")
def test_a_definition_that_comes_back_to_itself_is_refused() -> None:
    assert not taken({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})


ELSEWHERE = [
    "http://127.0.0.1:9/s.json", "https://example.org/s.json", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/",
    "//example.org/s.json", "ftp://example.org/s", "s.json", "../s.json", "urn:uuid:0", "http://localtest.me/s.json", "data:,{}",
    "\\\\host\\s",
]  # fmt: skip


@pytest.mark.catalogue("J-20")
@pytest.mark.parametrize("keyword", ["$ref", "$schema", "$id", "$dynamicRef", "$anchor", "$vocabulary", "$recursiveRef"])
def test_no_schema_causes_a_connection(keyword: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *where: connections.append(where))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **more: connections.append(where))
    for address in ELSEWHERE:
        for schema in (
            {keyword: address},
            {"properties": {"a": {keyword: address}}},
            {"$defs": {"a": {keyword: address}}, "$ref": "#/$defs/a"},
        ):
            assert not taken(schema), schema

    assert connections == []
