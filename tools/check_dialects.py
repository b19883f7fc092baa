"""Fail if a module outside `platform/db/dialects` decides by the name of a database.

A decision is a comparison with such a name, a `match` on one, `startswith` or `endswith` with one,
or a look-up by `dialect.name`. A migration describes one step of one history, so its
file may decide for itself. `EXEMPT` lists other exceptions, each with a reason.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("src", "tools", "bench")
HOME = "src/conflicto/platform/db/dialects/"
HISTORY = "src/conflicto/migrations/versions/"
NAMES = frozenset({"sqlite", "postgresql", "postgres"})
REGISTRY = "DIALECTS"

EXEMPT = {
    "bench/fill.py": "tunes a database for one large fill, which the program never does",
}


def decisions(source: str, path: str) -> Iterator[str]:
    """Yield `path:line` of each decision by the name of a database."""
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.expr | ast.pattern) and _decides(node):
            yield f"{path}:{node.lineno}"


def _decides(node: ast.expr | ast.pattern) -> bool:
    if isinstance(node, ast.Compare):
        return any(_is_name(each) or _is_dialect(each) for each in (node.left, *node.comparators))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        is_test = node.func.attr in {"startswith", "endswith"} and any(map(_is_name, node.args))
        return is_test or (node.func.attr == "get" and any(map(_is_dialect, node.args)))
    if isinstance(node, ast.Subscript):
        return _is_dialect(node.slice) and not (isinstance(node.value, ast.Name) and node.value.id == REGISTRY)
    return isinstance(node, ast.MatchValue) and _is_name(node.value)


def _is_name(node: ast.expr) -> bool:
    """Return whether an expression is a database's name, or a collection with one."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(map(_is_name, node.elts))
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.partition(":")[0] in NAMES


def _is_dialect(node: ast.expr) -> bool:
    """Return whether an expression is a dialect or its name, such as `tx.dialect.name`."""
    if isinstance(node, ast.Attribute) and node.attr == "name":
        node = node.value
    return isinstance(node, ast.Attribute) and node.attr == "dialect"


def complaints(root: Path) -> list[str]:
    """Return a line for each decision, and for each exemption that is no longer needed."""
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            path = file.relative_to(root).as_posix()
            if not path.startswith((HOME, HISTORY)) and (lines := list(decisions(file.read_text(encoding="utf-8"), path))):
                found[path] = lines
    return [
        *(
            f"{line}: decides by a database's name; ask its dialect, or give `Dialect` a method"
            for path, lines in found.items()
            if path not in EXEMPT
            for line in lines
        ),
        *(f"tools/check_dialects.py exempts {path} for nothing" for path in EXEMPT if path not in found),
    ]


if __name__ == "__main__":
    found = complaints(Path(__file__).parent.parent)
    print("\n".join(found) or "Only dialects know which database they are.")
    sys.exit(bool(found))
