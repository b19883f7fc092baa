"""Tests of the composition root: it hands objects to packages, no functions of packages above."""

import ast
from collections.abc import Iterator
from importlib import import_module
from inspect import isfunction
from pathlib import Path

import pytest

from conflicto import app

FOLDER = Path(app.__file__).parent
MODULES = sorted(path.name for path in FOLDER.glob("*.py"))

OWN_CALLABLES = {"telemetry.py"}
"""Modules that may write a lambda: gauges read the services of this process."""

CONTRIBUTIONS = {("domain.py", "purge"), ("domain.py", "stored_versions")}
"""Functions that packages contribute to a list, the purge steps of their tables, and queries that
the root itself runs.
"""


def _tree(name: str) -> ast.Module:
    return ast.parse((FOLDER / name).read_text("utf-8"))


def _values(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield names and attributes that are values: neither called nor parts of another name."""
    used: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            used.add(node.func)
        elif isinstance(node, ast.Attribute):
            used.add(node.value)
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute) and node not in used)


def _resolved(module: object, node: ast.expr) -> object:
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    owner = _resolved(module, node.value) if isinstance(node, ast.Attribute) else None
    return None if owner is None else getattr(owner, node.attr, None)


@pytest.mark.parametrize("name", [each for each in MODULES if each not in OWN_CALLABLES])
def test_the_composition_root_writes_no_closures(name: str) -> None:
    nested = [
        inner.lineno
        for outer in ast.walk(_tree(name))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
        if inner is not outer and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    partials = [node.lineno for node in ast.walk(_tree(name)) if isinstance(node, ast.Name) and node.id == "partial"]
    assert nested + partials == []


@pytest.mark.parametrize("name", MODULES)
def test_the_composition_root_hands_no_function_of_a_package_to_another(name: str) -> None:
    module = import_module(f"conflicto.app.{name.removesuffix('.py')}" if name != "__init__.py" else "conflicto.app")
    handed = {
        (name, value.__name__)
        for value in (_resolved(module, node) for node in _values(_tree(name)))
        if isfunction(value) and value.__module__.startswith("conflicto.") and not value.__module__.startswith("conflicto.app")
    }
    assert handed - CONTRIBUTIONS == set()
