"""Rule of `make test`: a test that compares a duration is marked `timed` and runs alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time"}
ALONE = {"test_overload.py", "test_noisy_neighbour.py", "test_costs.py", "test_postgres_network.py"}
"""Files that only `make test-hard` runs."""

PAGES = {"browser", "deploy"}
"""Folders that `make test` skips."""


def compared(tree: ast.AST) -> Iterator[str]:
    """Yield the name of each function that asserts on `clock() - began` without the mark."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and not is_timed(function):
            for statement in ast.walk(function):
                if isinstance(statement, ast.Assert) and any(is_elapsed(each) for each in ast.walk(statement.test)):
                    yield function.name
                    break


def is_timed(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(each) == "pytest.mark.timed" for each in function.decorator_list)


def is_elapsed(node: ast.AST) -> bool:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Call)):
        return False
    called = node.left.func
    return (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in CLOCKS


def modules() -> list[Path]:
    return [each for each in sorted(TESTS.rglob("test_*.py")) if each.name not in ALONE and not PAGES & set(each.parts)]


def test_no_test_compares_a_time_unless_it_runs_alone() -> None:
    found = {module.name: list(compared(ast.parse(module.read_text(encoding="utf-8")))) for module in modules()}

    assert {name: tests for name, tests in found.items() if tests} == {}


def test_comparison_is_found() -> None:
    found = compared(ast.parse("def test():\n    assert time.monotonic() - began < 1\n"))

    assert list(found) == ["test"]


def test_locks_name_no_registry() -> None:
    """Lock files name no registry: each machine configures its own."""
    root = TESTS.parent
    locks = [*root.glob("requirements/*.txt"), *root.glob("tests/**/package-lock.json")]

    assert [
        lock.name for lock in locks if any(word in lock.read_text() for word in ('"resolved"', "index-url", "find-links"))
    ] == []
    assert len(locks) > 7
