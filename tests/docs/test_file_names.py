"""Files and folders that docstrings, the architecture page and decisions name are really there."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DECISIONS, ROOT, text

SOURCES = ROOT / "src/conflicto"
PAGES = [ROOT / "docs/architecture.md", *DECISIONS]
NAME = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|js|mjs|ts|json|toml|css|html|sh|md)|(?:[a-z_-]+/)+)`")

MADE = frozenset({
    "jwks.json", "openapi.json",  # served
    "web/bundle/",  # made when the pages are bundled
    "packs.json", "upgrades/", "upgrades/1.json", "upgrades/VERSION.json", "ID.json",  # in folders that people or the server write
})  # fmt: skip
"""Names of files that the repository does not hold."""


def paths() -> frozenset[str]:
    """Return every file and folder under version control, each below a leading slash."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders = {f"/{folder}/" for file in listed for folder in map(str, Path(file).parents) if folder != "."}
    return frozenset({f"/{file}" for file in listed} | folders)


PATHS = paths()


def named_in_docstrings(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(text(source))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from NAME.findall(ast.get_docstring(node) or "")


def is_there(name: str) -> bool:
    return any(path.endswith(f"/{name}") for path in PATHS)


def is_beside(name: str, source: Path) -> bool:
    """Return whether a reader finds the name from a module: beside it, above it, or from a root."""
    roots = [*source.relative_to(ROOT).parents, Path("src/conflicto/web")]
    return any(f"/{root / name}".rstrip("/") + "/" * name.endswith("/") in PATHS for root in roots)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_files_that_exist(page: Path) -> None:
    assert [name for name in NAME.findall(text(page)) if not is_there(name) and name not in MADE] == []


@pytest.mark.parametrize("package", sorted(file.parent for file in SOURCES.rglob("__init__.py")), ids=lambda folder: folder.name)
def test_docstrings_name_files_that_exist(package: Path) -> None:
    modules = sorted(package.glob("*.py"))

    assert [
        (file.name, name) for file in modules for name in named_in_docstrings(file) if not is_there(name) and name not in MADE
    ] == []


@pytest.mark.parametrize("package", sorted(SOURCES.rglob("__init__.py")), ids=lambda file: file.parent.name)
def test_docstrings_of_packages_name_files_where_they_are(package: Path) -> None:
    assert [name for name in named_in_docstrings(package) if not is_beside(name, package)] == []
