"""Cursors and commits that report slow statements, for both drivers.

They stand below SQLAlchemy and therefore also time statements in the driver's syntax. A statement's
time is its execution plus the fetches of its rows, where SQLite does most of its work. Time between
fetches does not count.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.db.slow_queries import Role, SlowQueries


class Stopwatch:
    """Reports slow statements of connections with one role."""

    def __init__(self, slow_queries: SlowQueries, role: Role) -> None:
        self.threshold_s = slow_queries.threshold_s
        self.is_enabled = self.threshold_s > 0
        self._slow_queries = slow_queries
        self._role: Role = role

    def record(self, statement: object, duration_s: float) -> None:
        """Report a slow statement.

        A composed statement may hold values, so only its type is reported.
        """
        text = statement if isinstance(statement, str) else type(statement).__name__
        self._slow_queries.report(self._role, text, duration_s)

    def commit(self, commit: Callable[[], None]) -> None:
        """Run a driver's commit."""
        began_s = perf_counter()
        try:
            commit()
        finally:
            duration_s = perf_counter() - began_s
            if duration_s >= self.threshold_s:
                self.record("COMMIT", duration_s)


class TimedCursor:
    """The common part of timed cursors. Reports a statement when it is closed or used again."""

    stopwatch: Stopwatch
    threshold_s: float
    driver_execute: Callable[..., Any]
    driver_executemany: Callable[..., Any]
    driver_fetchone: Callable[..., Any]
    driver_fetchmany: Callable[..., Any]
    driver_fetchall: Callable[..., Any]
    driver_close: Callable[..., None]
    _statement: object = ""
    _duration_s = 0.0

    def execute(self, statement: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the driver's
        """Execute a statement."""
        if self._duration_s >= self.threshold_s:
            self._report()
        self._statement, began_s = statement, perf_counter()
        try:
            return self.driver_execute(statement, *args, **kwargs)
        finally:
            self._duration_s = perf_counter() - began_s

    def executemany(self, statement: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the driver's
        """Execute a statement for many rows."""
        if self._duration_s >= self.threshold_s:
            self._report()
        self._statement, began_s = statement, perf_counter()
        try:
            return self.driver_executemany(statement, *args, **kwargs)
        finally:
            self._duration_s = perf_counter() - began_s

    def fetchone(self) -> Any:  # noqa: ANN401 - the driver's
        """Fetch one row."""
        began_s = perf_counter()
        try:
            return self.driver_fetchone()
        finally:
            self._duration_s += perf_counter() - began_s

    def fetchmany(self, *size: int) -> Any:  # noqa: ANN401 - the driver's
        """Fetch some rows."""
        began_s = perf_counter()
        try:
            return self.driver_fetchmany(*size)
        finally:
            self._duration_s += perf_counter() - began_s

    def fetchall(self) -> Any:  # noqa: ANN401 - the driver's
        """Fetch the rest of the rows."""
        began_s = perf_counter()
        try:
            return self.driver_fetchall()
        finally:
            self._duration_s += perf_counter() - began_s

    def close(self) -> None:
        """Report the statement, and close the cursor."""
        if self._duration_s >= self.threshold_s:
            self._report()
        self.driver_close()

    def _report(self) -> None:
        duration_s, self._duration_s = self._duration_s, 0.0
        self.stopwatch.record(self._statement, duration_s)


METHODS = ("execute", "executemany", "fetchone", "fetchmany", "fetchall", "close")


def timed_cursor_class(cursor: type[Any], stopwatch: Stopwatch) -> type[Any]:
    """Return a timed subclass of a driver's cursor.

    The driver's methods get names of their own, because `super()` is slower.
    """
    own = {f"driver_{method}": getattr(cursor, method) for method in METHODS}
    return type("Timed", (TimedCursor, cursor), own | {"stopwatch": stopwatch, "threshold_s": stopwatch.threshold_s})


def timed_connection_class(connection: type[Any], cursor: type[Any], stopwatch: Stopwatch) -> type[Any]:
    """Return a timed subclass of a driver's connection, the class itself if nothing is reported.

    The driver's `cursor` method takes the class of the cursor.
    """
    if not stopwatch.is_enabled:
        return connection
    timed_cursor, open_cursor = timed_cursor_class(cursor, stopwatch), connection.cursor

    class TimedConnection(connection):  # type: ignore[misc]  # a class of the driver
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the driver's
            super().__init__(*args, **kwargs)
            self.cursor = partial(open_cursor, self, timed_cursor)

        def commit(self) -> None:
            stopwatch.commit(super().commit)

    return TimedConnection
