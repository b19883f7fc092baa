"""Rules of `make test`: no test compares a duration or waits briefly for an event.

Such tests are marked `timed` and run alone.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import hypothesis

TESTS = Path(__file__).parents[1]
CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "time"}
ALONE = {"test_overload.py", "test_noisy_neighbour.py", "test_costs.py", "test_postgres_network.py"}
"""Files that only `make test-hard` runs."""

PAGES = {"browser", "deploy"}
"""Folders that `make test` skips."""

OTHERS = {"clients", "engines", "readers"}
"""Further folders that `make test` skips."""

HARD = {"test_backups.py", "test_damage.py", "test_failover.py", "test_histories.py", "test_killed_copies.py", "test_power.py",
        "test_power_postgres.py", "test_redis.py", "test_schemathesis.py", "test_upgrade_beside.py"}  # fmt: skip
"""Further files that only `make test-hard` runs."""

WAITS = {"timeout": 0, "wait_for": 1}
"""Functions that wait, with the place of their timeout."""

MIN_WAIT_S, MAX_WAIT_S = 1, 60
"""Waits of seconds fail on a busy machine. Shorter ones await what must not happen."""


def compared(tree: ast.AST) -> Iterator[str]:
    """Yield the name of each function that asserts on `clock() - began` without the mark."""
    for function in functions(tree):
        if not is_timed(function):
            for statement in ast.walk(function):
                if isinstance(statement, ast.Assert) and any(is_elapsed(each) for each in ast.walk(statement.test)):
                    yield function.name
                    break


def hurried(tree: ast.AST) -> Iterator[str]:
    """Yield calls that wait some seconds for an event, outside of functions with the mark."""
    timed = {id(node) for each in functions(tree) if is_timed(each) for node in ast.walk(each)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and id(call) not in timed:
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            waits = [
                *(call.args[WAITS[name] :] if name in WAITS else []),
                *(each.value for each in call.keywords if each.arg in {"timeout", "within_s"}),
            ]
            if any(isinstance(each, ast.Constant) and is_short(each.value) for each in waits):
                yield ast.unparse(call)


def is_short(value: object) -> bool:
    return type(value) in {int, float} and MIN_WAIT_S <= value < MAX_WAIT_S


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [each for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]


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


def test_no_test_waits_briefly_for_what_must_come() -> None:
    skipped = PAGES | OTHERS
    quick = [each for each in modules() if not skipped & set(each.parts) and each.name not in HARD]
    found = {each.name: list(hurried(ast.parse(each.read_text(encoding="utf-8")))) for each in quick}

    assert {name: calls for name, calls in found.items() if calls} == {}


def test_brief_wait_is_found() -> None:
    found = hurried(ast.parse("async def test():\n    await wait_for(x, 2)\n    get(timeout=5)\n    await wait_for(x, 0.1)\n"))

    assert set(found) == {"wait_for(x, 2)", "get(timeout=5)"}


def test_properties_have_no_deadline() -> None:
    chosen = hypothesis.settings()

    assert chosen.deadline is None
    assert hypothesis.HealthCheck.too_slow in chosen.suppress_health_check


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
