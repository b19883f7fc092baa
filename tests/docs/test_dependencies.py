"""Tests that `docs/dependencies.md` lists exactly the required packages."""

import json
import re
import tomllib
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")

SECTIONS = {
    "Runtime": "requirements/base.in",
    "Pages": "package.json",
    "Tests, checks and builds": "requirements/dev.in",
    "Benchmarks": "requirements/bench.in",
    "Browser tests": "requirements/browser.in",
    "Client tests": "requirements/clients.in",
    "Client tests in JavaScript": "tests/clients/package.json",
    "Deployment checks": "requirements/deploy.in",
    "Readers of exports": "requirements/readers.in",
    "Voting rules": "requirements/voting.in",
}
"""Sections of the page, each with the file that requires its packages."""

COLUMNS = 6


def section(heading: str) -> str:
    """Return the text from a heading to the next one."""
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the rows whose first cell is a package."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section(heading).splitlines() if line.startswith("| `")
    ]


def required(path: str) -> list[str]:
    """Return the names of the packages that a file requires, in their canonical form."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".json"):
        found = json.loads(text)
        return sorted(chain(found.get("dependencies", {}), found.get("devDependencies", {})))
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return sorted(canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("-"))


@pytest.mark.parametrize(("heading", "path"), SECTIONS.items(), ids=SECTIONS)
def test_each_required_package_has_one_row_and_no_other_has(heading: str, path: str) -> None:
    listed, needed = [row[0].strip("`") for row in rows(heading)], required(path)

    assert sorted(set(needed) - set(listed)) == [], f"{path} requires them; add rows to docs/dependencies.md"
    assert sorted(set(listed) - set(needed)) == [], f"{path} does not require them; remove their rows"
    assert sorted(listed) == needed, "a package has two rows"


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_row_fills_all_columns(heading: str) -> None:
    assert [row for row in rows(heading) if len(row) != COLUMNS or not all(row)] == []


def test_each_file_with_requirements_has_a_section() -> None:
    folders = ("", "*/", "*/*/", "*/*/*/", "*/*/*/*/")
    packages = {path.relative_to(ROOT) for folder in folders for path in ROOT.glob(f"{folder}package.json")}
    own = {str(path) for path in packages if not any(part == "node_modules" or part.startswith(".") for part in path.parts)}

    assert {f"requirements/{path.name}" for path in ROOT.glob("requirements/*.in")} | own == set(SECTIONS.values())


def test_runtime_packages_stand_in_one_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert "dependencies" not in project["project"]
    assert "optional-dependencies" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": [SECTIONS["Runtime"]]}


def test_own_pieces_exist() -> None:
    files = re.findall(r"`([\w./]+/[\w./]+\.(?:py|js))`", section("Own pieces"))

    assert len(files) > len(SECTIONS)
    assert [file for file in files if not (ROOT / file).is_file() and not (ROOT / "src/conflicto" / file).is_file()] == []
