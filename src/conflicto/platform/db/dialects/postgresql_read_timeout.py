"""PostgreSQL connections with a read timeout, for servers that fall silent.

PostgreSQL's statement timeout and the system's keepalives do not help where something in between,
such as a hung pooler, accepts every byte and forwards none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.errors import OperationalError

from conflicto.platform.db.timed_cursors import Stopwatch, timed_cursor_class

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")

TRANSFER_MARGIN_S = 3.0
"""Time for a result's transfer, beyond the statement timeout."""


class ReadTimeout(OperationalError):
    """No data came in time. The connection is closed, and the last statement may have run."""


def connect_factory(timeout_s: float, stopwatch: Stopwatch) -> Callable[..., psycopg.Connection[Any]]:
    """Return a connect function with a read timeout.

    Its connections wait at most `timeout_s` at a time and report slow statements.
    """

    class TimeoutConnection(psycopg.Connection[Any]):
        def wait(
            self,
            gen: Generator[Any, Any, T],
            interval: float = 0.1,
            timeout: float | None = None,
        ) -> T:
            try:
                return super().wait(gen, interval, timeout_s if timeout is None else timeout)
            except psycopg.Error as error:
                if type(error).__name__ != "_WaitTimeout" or timeout is not None:
                    raise
                self.close()
                message = f"nothing came for {timeout_s:g} s"
                raise ReadTimeout(message) from error

    if not stopwatch.is_enabled:
        return TimeoutConnection.connect
    timed_cursors = timed_cursor_class(psycopg.Cursor, stopwatch), timed_cursor_class(psycopg.ServerCursor, stopwatch)

    class TimedPostgresConnection(TimeoutConnection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the driver's
            super().__init__(*args, **kwargs)
            self.cursor_factory, self.server_cursor_factory = timed_cursors

        def commit(self) -> None:
            stopwatch.commit(super().commit)

    return TimedPostgresConnection.connect
