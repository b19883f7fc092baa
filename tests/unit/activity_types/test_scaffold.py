"""The scaffold: every combination of parts passes the kit, and a package has an entry point."""

import importlib.util
import tomllib
from itertools import product
from pathlib import Path

import pytest

from conflicto.activity_types.kit.conformance import failures
from conflicto.activity_types.kit.scaffold import InvalidTypeName, ScaffoldParts, create_type
from conflicto.activity_types.registry import GROUP, types_in

COMBINATIONS = [ScaffoldParts(*parts) for parts in product((False, True), repeat=3)]


@pytest.mark.parametrize("parts", COMBINATIONS, ids=str)
def test_every_combination_passes_the_kit(tmp_path: Path, parts: ScaffoldParts) -> None:
    created = create_type("day-mood", tmp_path, parts)
    folder = created / "src/conflicto_day_mood/day-mood" if parts.package else created

    assert failures(folder) == []
    (known,) = types_in(folder).types
    assert known.ui == (("participant", "screen") if parts.views else ())
    assert (known.secret_schema is not None) == parts.secret


def test_a_package_names_its_folder_in_an_entry_point(tmp_path: Path) -> None:
    created = create_type("day-mood", tmp_path, ScaffoldParts(package=True))

    project = tomllib.loads((created / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"][GROUP]["day-mood"].partition(":")
    spec = importlib.util.spec_from_file_location(module, created / f"src/{module}/__init__.py")
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    assert [known.name for known in types_in(getattr(loaded, name)()).types] == ["day-mood"]
    assert project["name"] == "conflicto-day-mood"


def test_an_existing_package_is_not_overwritten(tmp_path: Path) -> None:
    create_type("mood", tmp_path, ScaffoldParts(package=True))

    with pytest.raises(InvalidTypeName, match="conflicto-mood exists already"):
        create_type("mood", tmp_path, ScaffoldParts(package=True))
