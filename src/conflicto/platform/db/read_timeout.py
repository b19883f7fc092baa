"""Connections that do not wait for ever: a server that fell silent is given up on, and whoever waited for it goes on.

PostgreSQL ends its own statements in time, and the system ends connections whose other side is gone. Neither helps where something in
between takes every byte and passes none on, a hung pooler for one.
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
"""How much longer than a statement may run its answer may be on the way."""


class ReadTimeout(OperationalError):
    """Nothing came for longer than any statement may take; the connection is closed, and what was sent last may be done or not."""


def connect_factory(timeout_s: float, stopwatch: Stopwatch) -> Callable[..., psycopg.Connection[Any]]:
    """Return what opens connections on which no single wait takes longer, and slow statements are reported."""

    class Impatient(psycopg.Connection[Any]):
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
        return Impatient.connect
    timed_cursors = timed_cursor_class(psycopg.Cursor, stopwatch), timed_cursor_class(psycopg.ServerCursor, stopwatch)

    class Timed(Impatient):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the driver's
            super().__init__(*args, **kwargs)
            self.cursor_factory, self.server_cursor_factory = timed_cursors

        def commit(self) -> None:
            stopwatch.commit(super().commit)

    return Timed.connect
