"""Count what an app asks its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from conflicto.platform.db.engine import Database

POOLED = "SELECT set_config("
"""Beginning of what each transaction says first behind a pooler."""


@contextmanager
def counted_statements(db: Database) -> Iterator[list[str]]:
    """Yield the list to which every statement is added that either engine runs meanwhile."""
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
