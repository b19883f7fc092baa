"""Counts of the database statements of an app."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from conflicto.platform.db.engine import Database

POOLED = "SELECT set_config("
"""Beginning of the first statement in each transaction behind a pooler."""


@contextmanager
def counted_statements(db: Database) -> Iterator[list[str]]:
    """Yield a list of all statements that either engine runs in the block."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(POOLED):
            seen.append(statement)

    engines = (db._readers, db._writer)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
