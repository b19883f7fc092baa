"""Print the cases of the catalogue with their requirements and tests, as a Markdown table.

`tests/catalogue.toml` holds the cases. A test names its cases with
`@pytest.mark.catalogue("J-04")`.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

FULL = "tests/api/test_sessions.py"
WITHOUT_MARK = {
    "E-03": [f"{FULL}::test_unknown_completed_and_deleted_codes_are_alike"],
    "E-04": [f"{FULL}::test_ids_and_codes_of_sessions_reveal_nothing_about_one_another"],
}
"""Tests in a module without a line left for a mark."""


def marked(source: str) -> Iterator[tuple[str, str]]:
    """Yield (case, name of a test) for each catalogue mark in a test module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.catalogue":
                    yield from ((str(ast.literal_eval(case)), node.name) for case in mark.args)


def cases(root: Path) -> dict[str, dict[str, str]]:
    """Return each case: its requirement (`expected`) and a reason for one database (`apart`)."""
    return tomllib.loads((root / "tests" / "catalogue.toml").read_text(encoding="utf-8"))


def covered(root: Path) -> dict[str, list[str]]:
    """Return the tests of each case, as `path::name`, in the order of the cases."""
    found = {case: list(tests) for case, tests in WITHOUT_MARK.items()}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for case, name in marked(path.read_text(encoding="utf-8")):
            found.setdefault(case, []).append(f"{path.relative_to(root).as_posix()}::{name}")
    return dict(sorted(found.items()))


def main() -> None:
    """Print the table."""
    shown = covered(ROOT)
    sys.stdout.write("| Case | Expected | Tests |\n|---|---|---|\n")
    for case, description in cases(ROOT).items():
        tests = "<br>".join(f"`{test}`" for test in shown.get(case, []))
        sys.stdout.write(f"| {case} | {description['expected']} | {tests} |\n")


if __name__ == "__main__":
    main()
