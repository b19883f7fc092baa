"""Versions side by side in one folder, their upgrade files, and the way from one to the other."""

import json
from pathlib import Path
from typing import Any

import pytest

from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.registry import UNRECORDED, Registry, types_in
from conflicto.activity_types.upgrade import UpgradeFailed, upgrades_of
from tests.support.type_versions import NEW, OLD, UPGRADE, put_both, put_upgrade, put_version

CONFIG = '{"question":"Bread?","breads":[{"name":"Rye"}],"most":4}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return put_both(tmp_path / "toast")


def registry(folder: Path) -> Registry:
    found = types_in(folder)
    assert found.rejected == ()
    return Registry(found.types)


def test_a_folder_holds_older_versions(folder: Path) -> None:
    types = registry(folder)

    assert types.versions("toast") == [NEW, OLD]
    assert types.get("toast").version == NEW
    assert types.get("toast", OLD).folder == folder / "versions" / OLD
    assert [types.find_version("toast", version) is not None for version in (NEW, OLD, UNRECORDED, "1", None)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert failures(folder) == []


def test_an_older_version_is_named_by_its_folder(folder: Path) -> None:
    (folder / "versions" / OLD).rename(folder / "versions/2")

    (rejected,) = types_in(folder).rejected
    assert [str(fault).split(". ")[0] for fault in rejected.faults] == [
        "toast/versions/2/activity.json:1 at /version: must be the folder's name, 2"
    ]
    assert Registry(types_in(folder).types).versions("toast") == [NEW]


BAD: list[tuple[str, Any, str]] = [
    (OLD, {"config": [{"op": "copy", "path": "/a"}]}, "/config/0/op"),
    (OLD, {"config": [{"op": "rename", "path": "/a"}]}, "/config/0: has not the arguments of rename"),
    (OLD, {"config": [{"op": "remove", "path": "/a", "to": "b"}]}, "/config/0: has not the arguments of remove"),
    (OLD, {"config": [{"op": "move", "path": "/a/*", "to": "/b"}]}, "/config/0: moves between places"),
    (OLD, {"config": [{"op": "move", "path": "/a", "to": "b"}]}, "/config/0: moves between places"),
    (OLD, {"config": [{"op": "default", "path": "/a/*", "value": 1}]}, "/config/0/path: names no member"),
    (OLD, {"config": [{"op": "remove", "path": ""}]}, "/config/0/path"),
    (OLD, {"config": [{"op": "map", "path": "/a", "values": [[1]]}]}, "/config/0/values/0"),
    (OLD, {"answers": []}, "/answers"),
    ("3.1", UPGRADE, "is not named by an older version"),
    (NEW, UPGRADE, "is not named by an older version"),
    ("first", UPGRADE, "is not named by an older version"),
]


@pytest.mark.parametrize(("source", "steps", "fault"), BAD)
def test_steps_that_cannot_be_are_named(folder: Path, source: str, steps: Any, fault: str) -> None:
    put_upgrade(folder, steps, source)

    (rejected,) = types_in(folder).rejected
    assert any(fault in str(each) for each in rejected.faults), rejected.faults


@pytest.mark.parametrize(
    ("part", "message"),
    [("config", "/config/ask is required"), ("secret", "/secret holds a field that is not known here"),
     ("response", "/response_data/loaf is required")],
)  # fmt: skip
def test_the_kit_tries_the_steps_on_the_examples_of_the_older_version(folder: Path, part: str, message: str) -> None:
    put_upgrade(folder, UPGRADE | {part: []})

    assert any(message in each for each in failures(folder)), failures(folder)


def test_the_kit_needs_the_older_version(folder: Path) -> None:
    put_upgrade(folder, UPGRADE, "1.5")

    (message,) = failures(folder)
    assert message.startswith("toast/upgrades/1.5.json:1: cannot be tested without a valid versions/1.5: toast/versions/1.5/")
    assert message.endswith(". Correct that version first.")


def test_an_activity_is_upgraded_with_its_aggregate(folder: Path) -> None:
    types = registry(folder)
    (upgrade,) = upgrades_of(types, "toast", OLD)
    own = '{"mine":{"path":"/bread","op":"count"}}'

    after = upgrade.content(CONFIG, '{"best":"Rye"}', types.get("toast", OLD).aggregate)
    assert json.loads(after.config) == {"ask": "Bread?", "breads": [{"name": "Rye"}], "most": 4, "least": 1}
    assert after.secret == '{"right":"Rye"}'
    assert after.aggregate == types.get("toast").aggregate
    assert upgrade.response('{"bread":"Rye","shade":1}', after.validator) == '{"loaf":"Rye","shade":2,"crust":true}'
    assert upgrade.content(CONFIG, '{"best":"Rye"}', own).aggregate == '{"mine":{"path":"/loaf","op":"count"}}'
    with pytest.raises(UpgradeFailed, match="/response_data/loaf is not one of"):
        upgrade.response('{"bread":"Corn","shade":1}', after.validator)


def test_steps_lead_through_versions_between(tmp_path: Path) -> None:
    folder = put_both(tmp_path / "toast")
    (folder / "activity.json").write_text((folder / "activity.json").read_text().replace('"3"', '"4"'))
    between = put_version(folder / "versions/3", NEW)
    put_upgrade(between, UPGRADE)
    (folder / f"upgrades/{OLD}.json").unlink()
    put_upgrade(folder, {"response": [{"op": "default", "path": "/crust", "value": False}]}, "3")
    (upgrade,) = upgrades_of(registry(folder), "toast", OLD)

    assert upgrade.target.version == "4"
    assert [len(steps.config) for steps in upgrade.chain] == [2, 0]
    assert upgrade.content(CONFIG, '{"best":"Rye"}', None).secret == '{"right":"Rye"}'


@pytest.mark.parametrize(("version", "sources"), [(NEW, []), ("1", []), (None, []), (OLD, [OLD]), (UNRECORDED, [NEW, OLD])])
def test_only_older_versions_with_steps_are_upgraded(folder: Path, version: str | None, sources: list[str]) -> None:
    assert [each.source for each in upgrades_of(registry(folder), "toast", version)] == sources


def test_a_version_that_is_gone_is_upgraded_too(folder: Path) -> None:
    types = registry(folder)
    (upgrade,) = upgrades_of(Registry([types.get("toast")]), "toast", OLD)

    assert upgrade.content(CONFIG, '{"best":"Rye"}', None).secret == '{"right":"Rye"}'
