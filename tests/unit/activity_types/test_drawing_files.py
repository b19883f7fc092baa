"""`drawing.json`: loaded, or refused with line and remedy."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.folder_files.drawings import CHARTS, NO_CHART
from conflicto.activity_types.folder_files.manifest import DRAWING_MEMBERS
from conflicto.activity_types.loader import load_type
from conflicto.aggregation.operations import OPERATIONS
from tests.unit.activity_types.test_loader import TYPES, changed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))


def test_a_drawing_names_what_a_config_holds(folder: Path) -> None:
    drawing = {"breads": {"chart": "table", "names": {"in": "/breads/*", "value": "/name"}}, "score": {"chart": "none"}}
    (folder / "drawing.json").write_text(json.dumps(drawing))

    assert load_type(folder).drawings == drawing


DRAWINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no result": ({"bredas": {}}, "/bredas: names no result of aggregate.json. Correct the name. Results: breads, score, numbers."),
    "no chart": ({"breads": {"chart": "pie"}}, '/breads/chart: is not one of the allowed values. Write "bars" or "box" or'),
    "a chart of another operation": (
        {"score": {"chart": "bars"}}, "/score/chart: cannot draw a result of score. Use one of figure, none.",
    ),
    "a figure of another operation": (
        {"breads": {"figure": "sum"}}, "/breads/figure: has no meaning for a result of count. Remove it. It is for amounts.",
    ),
    "names of nothing": ({"breads": {"names": {"in": "/bread/*"}}}, "/breads/names/in: leads nowhere in config.schema.json."),
    "names of no list": ({"breads": {"names": {"in": "/breads"}}}, "/breads/names/in: does not have the required format. Write a JSON"),
    "a text of nothing": (
        {"breads": {"names": {"in": "/rows/*", "value": "/id", "text": "/txt"}}},
        "/breads/names/text: leads nowhere in config.schema.json. Correct the pointer. Names at its last step: id, text.",
    ),
    "an object as name": (
        {"breads": {"names": {"in": "/rows/*"}}},
        "/breads/names/in: leads to a value of type object. Let it lead to a text or a number.",
    ),
    "names that participants do not see": (
        {"breads": {"names": {"in": "/secrets/*"}}}, "/breads/names/in: leads to a part of the config that participants do not see.",
    ),
    "a unit of nothing": ({"numbers": {"unit": "/unt"}}, "/numbers/unit: leads nowhere in config.schema.json."),
}  # fmt: skip


@pytest.mark.parametrize("case", DRAWINGS)
def test_a_drawing_of_nothing_is_a_fault_with_line_and_remedy(folder: Path, case: str) -> None:
    drawing, message = DRAWINGS[case]
    rows = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}, "text": {"type": "string"}}}}
    config = json.loads((folder / "config.schema.json").read_text())
    config["properties"] |= {"rows": rows, "secrets": {"type": "array", "items": {"type": "string"}, "x-scope": "host"}}
    (folder / "config.schema.json").write_text(json.dumps(config))
    changed(folder / "aggregate.json", numbers={"path": "", "op": "number"})
    (folder / "drawing.json").write_text(json.dumps(drawing))

    with pytest.raises(InvalidActivityType) as refused:
        load_type(folder)

    assert [str(fault).startswith(f"toast/drawing.json:1 at {message}") for fault in refused.value.faults] == [True], refused.value


def test_charts_that_a_drawing_may_name_are_those_of_operations() -> None:
    named = DRAWING_MEMBERS["chart"]["enum"]
    assert sorted({chart for charts in CHARTS.values() for chart in charts} | {NO_CHART}) == sorted(named)
    assert CHARTS.keys() == OPERATIONS.keys()
