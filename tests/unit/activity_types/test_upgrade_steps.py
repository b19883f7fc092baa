"""Steps of upgrades: each operation, at every place, without a lost value."""

from typing import Any

import pytest

from conflicto.activity_types.folder_files.upgrade_steps import StepFailed, apply_steps, steps_of


def after(text: str, *steps: dict[str, Any]) -> str:
    return apply_steps(steps_of({"config": list(steps)}).config, text)


def rename(path: str, to: str) -> dict[str, Any]:
    return {"op": "rename", "path": path, "to": to}


def move(path: str, to: str) -> dict[str, Any]:
    return {"op": "move", "path": path, "to": to}


def default(path: str, value: Any) -> dict[str, Any]:
    return {"op": "default", "path": path, "value": value}


def mapped(path: str, *values: list[Any]) -> dict[str, Any]:
    return {"op": "map", "path": path, "values": list(values)}


CASES = [
    ('{"a":1.50,"b":"\\u00e9"}', rename("/a", "c"), '{"c":1.50,"b":"\\u00e9"}'),
    ('{"o":[{"t":1},2,{"t":[1E2],"x":0}]}', rename("/o/*/t", "label"), '{"o":[{"label":1},2,{"label":[1E2],"x":0}]}'),
    ('{"o":{"p":{"t":1},"q":{"t":2}}}', rename("/o/*/t", "u"), '{"o":{"p":{"u":1},"q":{"u":2}}}'),
    ('{"a/b":{"~":1}}', rename("/a~1b/~0", "c"), '{"a/b":{"c":1}}'),
    ('{"a":1}', rename("/a", "a"), None),
    ('{"a":1,"b":2}', rename("/a", "b"), None),
    ('{"a":{"b":1E1},"c":2}', move("/a/b", "/d/e"), '{"a":{},"c":2,"d":{"e":1E1}}'),
    ('{"a":{"b":1}}', move("/a", "/a/b"), '{"a":{"b":{"b":1}}}'),
    ('{"a":1,"d":2}', move("/a", "/d/e"), None),
    ('{"a":1,"d":{"e":2}}', move("/a", "/d/e"), None),
    ('{"a":1}', move("/x", "/y"), '{"a":1}'),
    ('{"a":1}', default("/b", [None]), '{"a":1,"b":[null]}'),
    ('{"a":1}', default("/a", 2), '{"a":1}'),
    ('{"l":[{"x":1},{}]}', default("/l/*/x", "n"), '{"l":[{"x":1},{"x":"n"}]}'),
    ('{"a":1}', default("/b/c", 2), '{"a":1}'),
    ('{"a":1,"b":2}', {"op": "remove", "path": "/a"}, '{"b":2}'),
    ('{"a":1.0,"b":true}', mapped("/*", [1, "one"], [True, False]), '{"a":"one","b":false}'),
    ('{"a":"x","b":{"y":[1]}}', mapped("/a", ["x", {"y": 1}]), '{"a":{"y":1},"b":{"y":[1]}}'),
    ('{"a":"z"}', mapped("/a", ["x", "y"]), '{"a":"z"}'),
    ("[1]", rename("/a", "b"), "[1]"),
    ("null", default("/a", 1), "null"),
]


@pytest.mark.parametrize(("text", "step", "result"), CASES)
def test_a_step_changes_its_place_only_or_fails(text: str, step: dict[str, Any], result: str | None) -> None:
    if result is None:
        with pytest.raises(StepFailed):
            after(text, step)
    else:
        assert after(text, step) == result


def test_steps_follow_each_other() -> None:
    steps = (rename("/a", "b"), mapped("/b", ["x", "y"]), move("/b", "/c/d"), default("/c/e", 0))

    assert after('{"a":"x"}', *steps) == '{"c":{"d":"y","e":0}}'
