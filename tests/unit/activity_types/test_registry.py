"""The registry: types of folders and packages, and what is left out."""

import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from conflicto import activity_types
from conflicto.activity_types import registry
from conflicto.activity_types.registry import GROUP, folder_of, load_registry, types_in
from conflicto.platform.problems import NotFound
from tests.unit.activity_types.test_loader import TYPES, changed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TYPES / "toast", tmp_path / "toast"))


def test_a_folder_holds_one_type_or_several(tmp_path: Path) -> None:
    assert [each.name for each in types_in(TYPES / "toast").types] == ["toast"]
    assert [each.name for each in types_in(TYPES).types] == ["toast"]
    for empty in (Path(__file__).parent, tmp_path / "missing"):
        (rejected,) = types_in(empty).rejected
        assert str(rejected.faults[0]).startswith(f"{empty}: there is no activity type in this folder. Name a folder")


def test_a_bad_type_is_left_out_and_the_others_stay(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "bagel")

    found = load_registry([folder.parent])

    assert found.get("toast").title == "Toast"
    assert [(each.name, str(each.origin)) for each in found.rejected] == [("bagel", "folder")]
    assert [str(each) for each in found.rejected[0].faults] == [
        "bagel/activity.json:1 at /type: must be the folder's name, bagel. Rename the folder, or write its name here."
    ]


def test_built_in_types_use_the_entry_point() -> None:
    doors = {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}
    folders = {file.parent.name for file in activity_types.folder().glob("*/activity.json")}

    assert doors["builtin"] == "conflicto.activity_types:folder"
    assert {each.name for each in load_registry().all()} == folders
    assert len(folders) == 10


def test_of_two_types_of_one_name_neither_is_preferred(folder: Path) -> None:
    both = load_registry([TYPES, folder])

    assert both.find("toast") is None
    assert [each.name for each in both.rejected] == ["toast", "toast"]
    assert str(both.rejected[0].faults[0]) == (
        f"toast/activity.json at /type: {TYPES / 'toast'} (version 2.1) conflicts with {folder} (folder, version 2.1)."
        " Give one of them another name or an own version, or remove it."
    )
    assert both.find("poll")
    with pytest.raises(NotFound):
        both.get("toast")


def test_a_folder_that_is_named_twice_is_one_type() -> None:
    once = load_registry([TYPES, TYPES / "toast"])

    assert (once.get("toast").title, once.rejected) == ("Toast", ())


@pytest.mark.parametrize("version", ["1", "1.0", "99"])
def test_a_folder_cannot_replace_an_included_type(tmp_path: Path, version: str) -> None:
    shutil.copytree(activity_types.folder() / "poll", tmp_path / "poll")
    changed(tmp_path / "poll/activity.json", version=version)

    found = load_registry([tmp_path])

    assert found.get("poll").folder == activity_types.folder() / "poll"
    assert [(each.name, str(each.origin)) for each in found.rejected] == [("poll", "folder")]


def test_a_folder_may_hold_an_older_version_of_an_included_type(tmp_path: Path) -> None:
    shutil.copytree(activity_types.folder() / "poll", tmp_path / "poll")
    changed(tmp_path / "poll/activity.json", version="0.9")

    found = load_registry([tmp_path])

    assert (found.rejected, found.versions("poll")) == ((), ["1", "0.9"])
    assert found.get("poll").folder == activity_types.folder() / "poll"


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
    registry.installed.cache_clear()
    yield package
    sys.modules.pop("bakery", None)
    registry.installed.cache_clear()


def test_an_installed_package_brings_its_types(package: Path) -> None:
    import bakery  # type: ignore[import-not-found]

    assert folder_of(bakery) == folder_of(bakery.here) == package
    assert load_registry().get("toast").folder == package / "toast"
    assert load_registry().find("poll")


def test_a_package_that_cannot_be_imported_is_reported(package: Path) -> None:
    (package / "__init__.py").write_text("raise RuntimeError('no oven')")

    found = load_registry()

    assert [str(each) for rejected in found.rejected for each in rejected.faults] == [
        "package bakery: the entry point bakery cannot be used (RuntimeError: no oven). Update the package, or remove it."
    ]
    assert found.find("poll")


def test_types_have_an_origin(package: Path) -> None:
    found = load_registry()

    assert (str(found.get("toast").origin), str(found.get("poll").origin)) == ("package bakery 1", "included")
