"""Fail if a function, class or module is too large.

Docstrings and blank lines count.

tools/sizes.toml holds exemptions, each with a reason. An exemption that is no longer needed fails
as well.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 50
PUBLIC_METHODS = 12
FOLDERS_WITH_CLASS_LIMIT = ("src", "tools")
FOLDERS = (*FOLDERS_WITH_CLASS_LIMIT, "tests")

Breach = tuple[str, str]  # where ("path::Class.function"), what is too large


def _definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield each function and class below `node` with its dotted name."""
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}.{child.name}" if prefix else child.name
            yield name, child
        yield from _definitions(child, name)


def _public_methods(node: ast.ClassDef) -> int:
    """Count public methods by name: overloads and property setters do not count again."""
    functions = (child for child in node.body if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))
    return len({function.name for function in functions if not function.name.startswith("_")})


def breaches(source: str, path: str) -> Iterator[Breach]:
    """Yield each breach of size in one module; `path` is relative to the repository."""
    lines = len(source.splitlines())
    if lines > MODULE_LINES:
        yield path, f"{lines} lines, at most {MODULE_LINES}"
    for name, node in _definitions(ast.parse(source, path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}::{name}", f"{length} lines, at most {FUNCTION_LINES}"
        elif isinstance(node, ast.ClassDef) and path.startswith(FOLDERS_WITH_CLASS_LIMIT):
            methods = _public_methods(node)
            if methods > PUBLIC_METHODS:
                yield f"{path}::{name}", f"{methods} public methods, at most {PUBLIC_METHODS}"


def complaints(root: Path) -> list[str]:
    """Return a line for each breach, exemption without reason, and exemption without breach."""
    exempt = tomllib.loads((root / "tools/sizes.toml").read_text(encoding="utf-8")).get("exempt", {})
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            found.update(breaches(file.read_text(encoding="utf-8"), file.relative_to(root).as_posix()))
    return [
        *(f"{where}: {what}" for where, what in found.items() if where not in exempt),
        *(f"tools/sizes.toml: {where} has no reason" for where, reason in exempt.items() if not reason.strip()),
        *(f"tools/sizes.toml: {where} is within its size" for where in exempt if where not in found),
    ]


if __name__ == "__main__":
    found = complaints(Path(__file__).parent.parent)
    print("\n".join(found) or "Sizes are kept.")
    sys.exit(bool(found))
