"""Tests of the check of decisions by a database's name."""

from pathlib import Path

import pytest

from tools.check_dialects import EXEMPT, complaints, decisions


@pytest.mark.parametrize(
    "source",
    [
        "if tx.dialect == 'sqlite': pass",
        "x = connection.dialect.name != other",
        "x = url.get_backend_name() == 'postgresql'",
        "x = name in ('postgres', 'postgresql')",
        "x = url.startswith('sqlite:///')",
        "x = STATEMENTS[tx.dialect.name]",
        "x = STATEMENTS.get(connection.dialect.name)",
        "match name:\n    case 'sqlite': pass",
    ],
)
def test_a_decision_by_name_is_found(source: str) -> None:
    assert [line.partition(":")[0] for line in decisions(source, "src/a.py")] == ["src/a.py"]


@pytest.mark.parametrize(
    "source",
    [
        "dialect = DIALECTS[connection.dialect.name]",
        "log(database=db.dialect.name)",
        "x = tx.dialect.has_jsonb and not db.is_shared",
        "url = f'sqlite:///{path}'",
        "x = server is None",
    ],
)
def test_a_name_for_people_and_a_capability_pass(source: str) -> None:
    assert list(decisions(source, "src/a.py")) == []


def test_a_module_that_decides_fails_the_check(tmp_path: Path) -> None:
    for path in (
        "src/conflicto/platform/db/dialects/sqlite.py",
        "src/conflicto/migrations/versions/0001.py",
        "src/conflicto/new.py",
        *EXEMPT,
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\ny = dialect == 'sqlite'\n")
    assert [line.partition(": ")[0] for line in complaints(tmp_path)] == ["src/conflicto/new.py:2"]

    for path in EXEMPT:
        (tmp_path / path).write_text("x = 1\n")
    assert len(complaints(tmp_path)) == 1 + len(EXEMPT)


def test_this_repository_passes() -> None:
    assert complaints(Path(__file__).parents[3]) == []
