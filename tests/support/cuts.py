"""A process that ends during its work on a database, at a chosen statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class Cut(Exception):
    """The exception in whose place a real process would have ended."""


@contextmanager
def cut_at(number: int) -> Iterator[list[str]]:
    """Make the `number`th statement of any database fail; yields the statements so far."""
    seen: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)
        if len(seen) == number:
            raise Cut

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)
