"""Rare cases of types: odd files, odd schemas, and steps that change nothing."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conflicto.activity_types.folder_files.folder_reader import MAX_FAULTS, FolderReader
from conflicto.activity_types.folder_files.json_lines import syntax_error_line
from conflicto.activity_types.folder_files.pointer_checks import check_config_pointers
from conflicto.activity_types.folder_files.schema_files import TypeSchemas
from conflicto.activity_types.folder_files.upgrade_steps import Step, UpgradeSteps, apply_steps
from conflicto.activity_types.folder_files.view_files import MAX_MODULES, check_views
from conflicto.activity_types.folder_files.view_modules import parse_module
from conflicto.activity_types.json_schema.config_pointers import names_at, schemas_at
from conflicto.activity_types.json_schema.subset import MAX_DEPTH, MAX_SCHEMAS, subset_errors
from conflicto.activity_types.kit.property_tests import property_failures
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.names import label_pointer
from conflicto.activity_types.registry import types_in
from conflicto.activity_types.response_generator.allocation import StepRange, step_range, wanted_total
from conflicto.activity_types.response_generator.sampling import NothingToSample, ResponseSampler, SamplingHints
from conflicto.activity_types.upgrade import TypeUpgrade, UpgradeFailed
from tests.unit.activity_types.test_loader import TYPES

ANYTHING: dict[str, Any] = {"type": "object"}
CODE = {"type": "object", "required": ["code"], "properties": {"code": {"type": "string", "pattern": "^[0-9]{9}$"}}}
TWO_OF_ONE = {"type": "array", "minItems": 2, "uniqueItems": True, "items": {"enum": ["a"]}}
NO_CONFIG = "no config of the examples or the schema has an answer that can be generated"


def test_a_folder_has_a_bounded_number_of_faults(tmp_path: Path) -> None:
    reader = FolderReader(tmp_path)
    for number in range(MAX_FAULTS + 1):
        reader.add("a.json", "", f"fault {number}", "Mend it.")

    assert len(reader.faults) == MAX_FAULTS


@pytest.mark.parametrize(("text", "line"), [("{}", None), ('{\n"a"', 2), ("9" * 5_000, None), ("[" * 100_000, None)])
def test_only_a_syntax_error_has_a_line(text: str, line: int | None) -> None:
    assert syntax_error_line(text) == line


@pytest.mark.parametrize(
    ("part", "pointers"),
    [
        (
            {
                "type": "object",
                "x-sum": 1,
                "x-sum-of": "/pints",
                "additionalProperties": {"type": "object", "properties": {"n": {}}},
            },
            1,
        ),
        ({"type": "array", "x-unique": "/name", "items": {"type": "object", "properties": {"n": {}}}}, 1),
        ({"type": "array", "x-unique": "/name"}, 0),
    ],
)
def test_pointers_into_elements_and_values_lead_somewhere(tmp_path: Path, part: dict[str, Any], pointers: int) -> None:
    reader = FolderReader(tmp_path)
    response = {"type": "object", "properties": {"all": part}}

    check_config_pointers(reader, TypeSchemas(ANYTHING, response, None))

    assert len(reader.faults) == pointers


def test_a_step_about_a_missing_member_changes_nothing() -> None:
    assert apply_steps([Step("rename", "/a", to="b")], '{"c":1}') == '{"c":1}'


def test_a_folder_of_views_has_bounds_and_holds_files(tmp_path: Path) -> None:
    (tmp_path / "ui/screen.js").mkdir(parents=True)
    odd = FolderReader(tmp_path)
    assert check_views(odd) == {}
    assert [fault.file for fault in odd.faults] == [f"{tmp_path.name}/ui/screen.js"]

    for number in range(MAX_MODULES):
        (tmp_path / f"ui/part{number}.js").write_text("")
    full = FolderReader(tmp_path)
    assert check_views(full) == {}
    assert "more than" in full.faults[0].message


def test_names_within_patterns_are_exports() -> None:
    module = parse_module("export const { a, b: { c }, e: [f, g = 1], ...d } = {};")

    assert set(module.exports) == {"a", "c", "d", "f", "g"}


def test_pointers_follow_open_members_and_end_at_closed_lists() -> None:
    root = {"type": "object", "additionalProperties": {"type": "integer"}}
    closed = {"type": "array", "prefixItems": [{"type": "string"}], "items": False}

    assert schemas_at(root, "/any") == [{"type": "integer"}]
    assert schemas_at(closed, "/*") == [{"type": "string"}]
    assert names_at(closed, "") == []


def test_schemas_have_bounds_in_depth_and_number() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 1):
        deep = {"type": "array", "items": deep}
    wide = {"type": "object", "properties": {f"p{number}": {} for number in range(MAX_SCHEMAS)}}

    assert [error.reason for error in subset_errors(deep)] == [f"schemas may be nested {MAX_DEPTH} deep"]
    assert [error.reason for error in subset_errors(wide)] == [f"a file may hold {MAX_SCHEMAS} schemas"]


@pytest.mark.parametrize(
    "change",
    [
        {"config_schema": CODE},
        {"config_schema": {"type": "object", "required": ["picks"], "properties": {"picks": TWO_OF_ONE}}},
        {"config_schema": ANYTHING, "secret_schema": CODE},
        {"config_schema": ANYTHING, "secret_schema": {**ANYTHING, "required": ["a"], "properties": {"a": {}}, "maxProperties": 0}},
    ],
)
def test_configs_that_cannot_be_generated_are_left_out(change: dict[str, Any]) -> None:
    strange = replace(load_type(TYPES / "toast"), examples=(), aggregate=None, **change)

    assert list(property_failures(strange)) == [NO_CONFIG]


def test_answers_that_the_schema_refuses_are_not_generated() -> None:
    never = {**ANYTHING, "required": ["a"], "properties": {"a": {"type": "integer"}}, "maxProperties": 0}
    strange = replace(load_type(TYPES / "toast"), response_schema=never, aggregate=None)

    assert list(property_failures(strange)) == [NO_CONFIG]


def test_answers_without_the_counted_member_count_as_nothing() -> None:
    toast = replace(load_type(TYPES / "toast"), aggregate='{"none":{"path":"/none","op":"count"}}')

    assert list(property_failures(toast)) == []


def test_a_drawing_names_the_labels_of_its_own_values_only() -> None:
    drawn = replace(load_type(TYPES / "toast"), drawings={"a": {"names": {"in": "/notes", "text": "/x"}}})

    assert label_pointer(drawn, "/breads/*/name") is None
    assert label_pointer(drawn, "/notes") == "/x"


def test_a_folder_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (rejected,) = types_in(tmp_path / ("x" * 300)).rejected

    assert "cannot be read" in rejected.faults[0].message


def test_sums_within_limits_are_moved_to_the_nearest_one() -> None:
    assert [wanted_total(part, [2, 2]) for part in ({"x-max-sum": 3}, {"x-min-sum": 5}, {"x-max-sum": 4, "x-min-sum": 4})] == [
        3,
        5,
        None,
    ]
    assert step_range({"exclusiveMinimum": 0, "exclusiveMaximum": 5}, Fraction(1)) == StepRange(1, 4)


@pytest.mark.parametrize("schema", [{"enum": []}, {"type": "array", "items": {"enum": ["a"]}, "minItems": 2, "uniqueItems": True}])
def test_a_schema_without_enough_values_gives_none(schema: dict[str, Any]) -> None:
    with pytest.raises(NothingToSample):
        ResponseSampler(schema, SamplingHints(phrases=("a",)), 1).sample(Random(1))


def test_an_upgrade_changes_masked_texts_without_checking_them_and_names_the_part_that_fails() -> None:
    rename = UpgradeSteps(
        config=(Step("rename", "/question", to="breads"),), response=(Step("rename", "/loaf", to="bread"),)
    )  # fmt: skip
    upgrade = TypeUpgrade("2", load_type(TYPES / "toast"), (rename,), None)

    assert upgrade.masked_response('{"loaf":"***"}') == '{"bread":"***"}'
    with pytest.raises(UpgradeFailed, match=r"^/config: "):
        upgrade.content('{"question":"?","breads":[]}', None, None)
