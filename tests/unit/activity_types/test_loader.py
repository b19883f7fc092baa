"""Folders of types: loaded, or refused with file, place and reason."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from conflicto import activity_types
from conflicto.activities.schemas import ActivityFields
from conflicto.activity_types import registry
from conflicto.activity_types.errors import InvalidActivityType
from conflicto.activity_types.loader import load_type
from conflicto.activity_types.manifest import DEFAULTS
from conflicto.activity_types.registry import GROUP, Registry, folder_of, load_registry, types_in
from conflicto.platform.problems import NotFound

TYPES = Path(__file__).parents[2] / "support/types"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))


def changed(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_a_folder_is_a_type(folder: Path) -> None:
    known = load_type(folder)

    assert (known.name, known.version, known.title, known.icon) == ("toast", "2.1", "Toast", "🍞")
    assert known.defaults == {"response_policy": "first", "moderation": "before", "duration_seconds": 45, "anonymous": True}
    assert known.scopes == '{"after_reveal":["origin"],"host":["notes"]}'
    assert known.aggregate == '{"breads":{"path":"/bread","op":"count"},"score":{"path":"/bread","op":"score","key":"/best"}}'
    assert set(known.catalogs) == {"en"}
    assert known.ui == ()


def test_views_are_named_by_what_is_there(folder: Path) -> None:
    (folder / "ui").mkdir()
    for view in ("screen", "participant", "something"):
        (folder / f"ui/{view}.js").write_text("export default class extends HTMLElement {}")

    assert load_type(folder).ui == ("participant", "screen")


def test_what_is_optional_may_be_missing(folder: Path) -> None:
    for name in ("secret.schema.json", "aggregate.json", "README.md"):
        (folder / name).unlink()
    for name in ("examples", "i18n"):
        shutil.rmtree(folder / name)
    changed(folder / "config.schema.json", properties={"breads": {"type": "array"}}, required=[])
    (folder / "response.schema.json").write_text("{}")

    known = load_type(folder)

    assert (known.secret_schema, known.aggregate, known.scopes, known.examples, known.catalogs) == (None, None, None, (), {})


Breaking = Callable[[Path], object]
BROKEN: dict[str, tuple[Breaking, str]] = {
    "no manifest": (lambda at: (at / "activity.json").unlink(), "toast/activity.json: cannot be read"),
    "no schema": (lambda at: (at / "response.schema.json").unlink(), "toast/response.schema.json: cannot be read"),
    "no json": (lambda at: (at / "activity.json").write_text("{"), "toast/activity.json: Send one JSON text"),
    "a key twice": (lambda at: (at / "aggregate.json").write_text('{"a":1,"a":2}'), "toast/aggregate.json: Each key"),
    "too large": (lambda at: (at / "i18n/en.json").write_text(" " * 70_000), "toast/i18n/en.json: The body may have at most 65536 bytes"),
    "another name": (lambda at: changed(at / "activity.json", type="bread"), "toast/activity.json at /type: must be the folder's"),
    "another sdk": (lambda at: changed(at / "activity.json", sdk="2"), "toast/activity.json at /sdk: is not the allowed value"),
    "unknown field": (lambda at: changed(at / "activity.json", colour="red"), "toast/activity.json: holds a field"),
    "unknown default": (lambda at: changed(at / "activity.json", defaults={"round": 2}), "at /defaults: holds a field"),
    "a list": (lambda at: changed(at / "config.schema.json", type="array"), "toast/config.schema.json at /type: a config is an"),
    "a remote reference": (
        lambda at: changed(at / "config.schema.json", properties={"a": {"$ref": "https://example.org/x"}}),
        "toast/config.schema.json at /properties/a/$ref: must name a definition",
    ),
    "a slow pattern": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"pattern": "(?=x)"}}),
        "toast/response.schema.json at /properties/a/pattern: is no pattern that can be matched in linear time",
    ),
    "a scoped answer": (
        lambda at: changed(at / "response.schema.json", properties={"a": {"x-scope": "host"}}),
        "toast/response.schema.json at /properties/a/x-scope: only a config has scopes",
    ),
    "a hidden limit": (
        lambda at: changed(at / "response.schema.json", properties={"bread": {"x-in": "/origin"}}),
        "toast/response.schema.json at /properties/bread/x-in: leads to a part of the config that participants do not see",
    ),
    "a bad operation": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "average"}),
        "toast/aggregate.json at /breads/op: must be one of amounts, count, grid, median, number, pairs, rank, score, votes, words",
    ),
    "a bad pointer": (
        lambda at: changed(at / "aggregate.json", breads={"path": "bread", "op": "count"}),
        "toast/aggregate.json at /breads/path: must be a JSON pointer",
    ),
    "a bad name": (
        lambda at: changed(at / "aggregate.json", **{"Breads!": {"path": "/bread", "op": "count"}}),
        "toast/aggregate.json: has a name that is not a lower-case letter",
    ),
    "an unknown option": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "count", "topp": 3}),
        "toast/aggregate.json at /breads: has the unknown option `topp` for `count`; allowed: `top`",
    ),
    "a bad option": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "count", "top": 0}),
        "toast/aggregate.json at /breads/top: must be a whole number from 1 to 1000",
    ),
    "options that do not agree": (
        lambda at: changed(at / "aggregate.json", breads={"path": "/bread", "op": "number", "min": 2, "max": 1}),
        "toast/aggregate.json at /breads: needs a `min` below its `max`",
    ),
    "a missing option": (
        lambda at: changed(at / "aggregate.json", score={"path": "/bread", "op": "amounts"}),
        "toast/aggregate.json at /score/of: is required by amounts",
    ),
    "an empty example": (lambda at: (at / "examples/x.json").write_text("{}"), "toast/examples/x.json at /config: is required"),
    "no locale": (lambda at: (at / "i18n/English.json").write_text("{}"), "toast/i18n/English.json: is not named by a locale"),
    "many examples": (
        lambda at: [shutil.copy(at / "examples/kitchen.json", at / f"examples/{n}.json") for n in range(50)],
        "toast/examples: holds more than 50 files",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder_is_refused_with_file_place_and_reason(folder: Path, case: str) -> None:
    break_it, message = BROKEN[case]
    break_it(folder)

    with pytest.raises(InvalidActivityType) as refused:
        load_type(folder)

    assert message in str(refused.value)
    assert str(refused.value).startswith("toast/")


def test_a_limit_may_stand_anywhere_in_the_whole_config(folder: Path) -> None:
    changed(folder / "response.schema.json", properties={"bread": {"x-in": ""}})

    assert load_type(folder).name == "toast"


def test_a_folder_holds_one_type_or_several() -> None:
    assert [each.name for each in types_in(TYPES / "toast")] == ["toast"]
    assert [each.name for each in types_in(TYPES)] == ["toast"]
    with pytest.raises(InvalidActivityType, match="there is no activity type in this folder"):
        types_in(Path(__file__).parent)


def test_built_in_types_use_the_entry_point() -> None:
    doors = {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}
    folders = {file.parent.name for file in activity_types.folder().glob("*/activity.json")}

    assert doors["builtin"] == "conflicto.activity_types:folder"
    assert {each.name for each in load_registry().all()} == folders
    assert len(folders) == 10


def test_a_name_can_be_taken_once() -> None:
    both = load_registry([TYPES])

    assert both.get("toast").title == "Toast"
    assert both.find("nobody") is None
    with pytest.raises(NotFound):
        both.get("nobody")
    with pytest.raises(InvalidActivityType, match="another folder has registered this version"):
        load_registry([TYPES, TYPES / "toast"])
    with pytest.raises(InvalidActivityType, match="another folder has registered this version"):
        Registry([both.get("toast"), both.get("toast")])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A foreign package on the path, with a type in its folder and two entry points."""
    package = tmp_path / "bakery"
    shutil.copytree(TYPES / "toast", package / "toast")
    (package / "__init__.py").write_text("from pathlib import Path\n\ndef here():\n    return str(Path(__file__).parent)\n")
    info = tmp_path / "bakery-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bakery\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nbakery = bakery\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.installed_types.cache_clear()
    yield package
    sys.modules.pop("bakery", None)
    registry.installed_types.cache_clear()


def test_an_installed_package_brings_its_types(package: Path) -> None:
    import bakery  # type: ignore[import-not-found]

    assert folder_of(bakery) == folder_of(bakery.here) == package
    assert load_registry().get("toast").folder == package / "toast"
    assert load_registry().find("poll")


def test_defaults_of_types_are_fields_of_activities() -> None:
    """Compare the manifest's defaults with the fields of activities, a package above."""
    fields = ActivityFields.model_json_schema()
    for name, schema in DEFAULTS.items():
        field = fields["properties"][name]
        if "enum" in schema:
            assert set(schema["enum"]) == set(fields["$defs"][field["$ref"].rpartition("/")[2]]["enum"])
        elif name == "duration_seconds":
            assert {key: field["anyOf"][0][key] for key in schema} == schema
        else:
            assert field["type"] == schema["type"]
