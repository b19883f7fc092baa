"""Tests of what a start imports: the clients of servers that it does not use take a fifth of it."""

import subprocess
import sys

import pytest

UNUSED = ("psycopg", "redis", "esprima", "starlette")
SHOW = "print(sorted(name for name in sys.modules if name in {0!r}))"


def imported(statement: str = "") -> str:
    lines = ["import sys", "import conflicto.app.asgi, conflicto.cli.serve", statement, SHOW.format(UNUSED)]
    found = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def test_a_server_with_sqlite_alone_imports_no_client() -> None:
    assert imported() == "[]"


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("from conflicto.platform.db.dialects.registry import DIALECTS; DIALECTS['postgresql']", "psycopg"),
        ("import conflicto.app.redis", "redis"),
        ("from conflicto.activity_types.folder_files.view_modules import parse_module; parse_module('')", "esprima"),
    ],
)
def test_a_client_is_imported_at_first_use(statement: str, name: str) -> None:
    assert name in imported(statement)
