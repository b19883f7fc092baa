"""The newest rows of one kind in a session, each in its newest revision, in timestamp order."""

from __future__ import annotations

from collections import OrderedDict
from math import inf
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

Row = TypeVar("Row")


class OrderedRows(Generic[Row]):
    """Rows by id, oldest first.

    After any position above `floor`, memory and database contain the same rows. The oldest rows
    beyond `max_rows` are removed.
    """

    __slots__ = ("_max_rows", "floor", "rows")

    def __init__(self, floor: int, max_rows: float = inf) -> None:
        self.rows: OrderedDict[Hashable, tuple[int, Row]] = OrderedDict()
        self._max_rows = max_rows
        self.floor = floor

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, row_id: Hashable) -> Row | None:
        """Return a row, if it is here."""
        found = self.rows.get(row_id)
        return found[1] if found else None

    def put(self, row_id: Hashable, ts: int, row: Row) -> Row | None:
        """Store a row in its present state, and return its former one, if it was here."""
        before = self.rows.pop(row_id, None)
        self.rows[row_id] = ts, row
        if len(self.rows) > self._max_rows:
            self.drop_oldest()
        return before[1] if before else None

    def drop_oldest(self) -> Row:
        """Remove the oldest row, raise the floor to it, and return it."""
        _, (self.floor, row) = self.rows.popitem(last=False)
        return row

    def after(self, ts: int) -> list[Row]:
        """Return the rows after a position, in order."""
        found: list[Row] = []
        for stamp, row in reversed(self.rows.values()):
            if stamp <= ts:
                break
            found.append(row)
        found.reverse()
        return found
