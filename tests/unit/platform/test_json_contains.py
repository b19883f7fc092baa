from decimal import Decimal

import pytest

from conflicto.platform.json_contains import contains, parse


@pytest.mark.parametrize(
    ("container", "contained"),
    [
        ('{"a": 1, "b": 2}', '{"a": 1}'),
        ('{"a": {"b": {"c": 1, "d": 2}, "e": 3}}', '{"a": {"b": {"d": 2}}}'),
        ('{"a": [1, 2, 3]}', '{"a": [3, 1]}'),
        ('{"a": {}}', "{}"),
        ('{"a": {"b": 1}}', '{"a": {}}'),
        ('{"a": [1]}', '{"a": []}'),
        ("[1, 2, 3]", "[3, 3, 1, 1]"),
        ("[1, 2]", "[]"),
        ("[]", "[]"),
        ("[1, [2, 3], 4]", "[[3]]"),
        ("[[1], [2]]", "[[2], [1], []]"),
        ('[{"a": 1, "b": 2}, {"c": 3}]', '[{"c": 3}, {"b": 2}]'),
        ("[1, 2]", "2"),
        ('["a", null]', "null"),
        ("1", "1"),
        ('"x"', '"x"'),
        ("true", "true"),
        ("null", "null"),
        ("1", "1.0"),
        ("100", "1e2"),
        ("[1.50]", "[1.5]"),
        ("-0.0", "0"),
    ],
)
def test_container_contains(container, contained):
    assert contains(parse(container), parse(contained))


@pytest.mark.parametrize(
    ("container", "contained"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"b": 1}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"a": null}', '{"b": null}'),
        ('{"a": [1, 2]}', '{"a": 1}'),
        ('{"a": 1}', '{"a": [1]}'),
        ('{"a": {"b": 1}}', '{"b": 1}'),
        ('{"a": 1}', '"a"'),
        ('{"a": 1}', "[]"),
        ("[]", "{}"),
        ('[{"a": 1}]', '{"a": 1}'),
        ("[1, 2]", "[1, 4]"),
        ("[[1, 2]]", "[1]"),
        ("[[1, 2]]", "1"),
        ("[1, 2]", "[[1]]"),
        ("[[1], [2]]", "[[1, 2]]"),
        ("[[]]", "[{}]"),
        ("1", "[1]"),
        ("1", "[]"),
        ("1", "{}"),
        ("1", "2"),
        ("1", "true"),
        ("true", "1"),
        ("[0]", "false"),
        ("[false]", "[0]"),
        ("false", "null"),
        ("true", "false"),
        ('"1"', "1"),
        ('"a"', '"A"'),
        ("0.1", "0.10000000000000000000001"),
        ("9007199254740991", "9007199254740991.5"),
    ],
)
def test_container_does_not_contain(container, contained):
    assert not contains(parse(container), parse(contained))


def test_parse_keeps_fractions_exact():
    assert parse(b"[1, 0.10000000000000000000001]") == [1, Decimal("0.10000000000000000000001")]


def test_plain_floats_compare_with_integers():
    assert contains({"a": 2.0}, {"a": 2})
    assert not contains({"a": 1.0}, {"a": True})
