"""Transactions of queries and commands: the connection, locked heads and recorded events."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from conflicto.platform.db.cancellation import NO_DEADLINE
from conflicto.platform.db.dialects.registry import DIALECTS
from conflicto.platform.problems import DomainError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, CursorResult, Executable, Row

    from conflicto.platform.db.cancellation import Deadline
    from conflicto.platform.db.sequence import FeedHead


class PartiallyWritten(Exception):
    """A command raised a domain error after its first write: its group must be rolled back."""

    def __init__(self, cause: DomainError) -> None:
        super().__init__(cause.code)
        self.cause = cause


class ReadTx:
    """A read-only snapshot of the database, the first parameter of every query.

    Every statement checks `deadline` before it begins. Loops over many rows check it between rows.
    """

    def __init__(self, connection: Connection, deadline: Deadline = NO_DEADLINE) -> None:
        self.connection = connection
        self.dialect = DIALECTS[connection.dialect.name]
        self.deadline = deadline
        self._open: list[CursorResult[Any]] = []

    def all(self, statement: Executable, params: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Return every row."""
        if self.deadline is not NO_DEADLINE:
            self.deadline.check()
        return self.connection.execute(statement, params).all()

    def first(self, statement: Executable, params: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Return the first row or None."""
        if self.deadline is not NO_DEADLINE:
            self.deadline.check()
        return self.connection.execute(statement, params).first()

    def scalar(self, statement: Executable, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - the column's type
        """Return the first column of the first row, or None."""
        if self.deadline is not NO_DEADLINE:
            self.deadline.check()
        return self.connection.execute(statement, params).scalar()

    def set_statement_timeout(self, seconds: float) -> None:
        """Limit further statements of this transaction on PostgreSQL to `seconds` each.

        SQLite ends the whole read at its deadline.
        """
        self.dialect.set_statement_timeout(self.connection, seconds)

    def stream(self, statement: Executable, params: Mapping[str, Any] | None = None, *, batch_rows: int) -> Iterator[Row[Any]]:
        """Yield every row, `batch_rows` of them in memory; the deadline is checked between rows."""
        with self.connection.execute(statement.execution_options(yield_per=batch_rows), params) as rows:
            self._open.append(rows)
            for row in rows:
                self.deadline.check()
                yield row
            self._open.remove(rows)

    def close_rows(self) -> None:
        """Close the results that `stream` left open.

        The frames of an error keep their rows longer than the connection may be used.
        """
        for rows in self._open:
            with suppress(DBAPIError):
                rows.close()


class WriteTx(ReadTx):
    """The transaction of one group.

    A command checks first and writes afterwards. A domain error before its first write does not
    affect the group. A later one makes the writer roll back and replay the group command by
    command.

    `private_commands` counts commands that only one person may learn of.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        now_us: int,
        heads: dict[int, FeedHead],
        subscribers: Mapping[type, Sequence[Callable[[WriteTx, Any], None]]],
    ) -> None:
        super().__init__(connection)
        self.now_us = now_us
        self.heads = heads
        self.events: list[object] = []
        self.writes = 0
        self.private_commands = 0
        self._subscribers = subscribers

    def write(self, statement: Executable, params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None) -> int:
        """Execute a changing statement and return the number of affected rows."""
        self.writes += 1
        return self.connection.execute(statement, params).rowcount

    def write_each(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute a statement in the driver's syntax once for each of `rows`."""
        self.writes += 1
        self.connection.exec_driver_sql(statement, rows)

    def attempt(self, command: Callable[[WriteTx], Any]) -> Any:  # noqa: ANN401 - the command's value
        """Run a command; a domain error before its first write is returned as the outcome.

        Raises:
            PartiallyWritten: the domain error came after the first write.
        """
        writes, events = self.writes, len(self.events)
        try:
            return command(self)
        except DomainError as error:
            if self.writes > writes:
                raise PartiallyWritten(error) from error
            del self.events[events:]
            return error

    def head(self, topic: int) -> FeedHead:
        """Return the locked head of `topic`.

        Raises:
            NotFound: there is no such head.
        """
        head = self.heads.get(topic)
        if head is None:
            raise NotFound
        return head

    def next_ts(self, topic: int, *, control: bool = True) -> int:
        """Draw the next feed timestamp of `topic`, µs."""
        return self.head(topic).next_ts(self.now_us, control=control)

    def effective_now(self, topic: int) -> int:
        """Return the instant to compare deadlines with: the later of clock and feed head, µs."""
        return max(self.now_us, self.head(topic).ts)

    def emit(self, event: object) -> None:
        """Call the subscribers inside the transaction, and record the event for the commit."""
        self.events.append(event)
        for subscriber in self._subscribers.get(type(event), ()):
            subscriber(self, event)
