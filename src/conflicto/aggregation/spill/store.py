"""Rows of spilled states, in a temporary SQLite database.

Its file is unlinked once it is open, so it ends with the process. The module creates the file
itself. The driver's build keeps SQLite's own temporary databases in memory, regardless of `PRAGMA
temp_store`.

`entries` holds three sums for each key, with an index that finds the first keys. `items` holds the
values behind a sum where only the last or the highest one counts: votes, and points of responses.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any, NamedTuple

import pysqlite3.dbapi2 as driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Key = bytes | str | int | float
    SumsOf = Callable[[int | None], tuple[int, int, int]]
    """Returns the three sums for a group's value that counts, None for a group without items."""

CACHE_KIB = 8 * 1024
PAGE_BYTES = 4096

_PRAGMAS = (
    "journal_mode = OFF", "locking_mode = EXCLUSIVE", "synchronous = OFF", f"page_size = {PAGE_BYTES}", f"cache_size = -{CACHE_KIB}",
)  # fmt: skip
_SCHEMA = """
CREATE TABLE entries (state INTEGER, key, a INTEGER, b INTEGER, c INTEGER, PRIMARY KEY (state, key)) WITHOUT ROWID;
CREATE INDEX ranked ON entries (state, a DESC, b DESC, key) WHERE c > 0 AND (a <> 0 OR b <> 0);
CREATE TABLE items (state INTEGER, who INTEGER, key TEXT, high INTEGER, low INTEGER, value INTEGER, times INTEGER,
    PRIMARY KEY (state, who, key, high, low)) WITHOUT ROWID;
"""
_ADD = """
INSERT INTO entries VALUES (?, ?, ?, ?, ?)
ON CONFLICT (state, key) DO UPDATE SET a = a + excluded.a, b = b + excluded.b, c = c + excluded.c
"""
_PRUNE = "DELETE FROM entries WHERE state = ? AND key = ? AND a = 0 AND b = 0 AND c = 0"
_RANKED = "SELECT key, a, b FROM entries WHERE state = ? AND c > 0 AND (a <> 0 OR b <> 0) ORDER BY a DESC, b DESC, key LIMIT ?"
_PREFIXED = "SELECT key, a FROM entries WHERE state = ? AND key >= ? AND key < ?"
_EXTREME = "SELECT key FROM entries WHERE state = ? ORDER BY key {} LIMIT 1"
_BETWEEN = "SELECT coalesce(sum(a), 0) FROM entries WHERE state = ? AND key >= ? AND key < ?"
_FROM = "SELECT coalesce(sum(a), 0) FROM entries WHERE state = ? AND key >= ?"
_ALL = "SELECT key, a FROM entries WHERE state = ? ORDER BY key"
_ITEM = """
INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (state, who, key, high, low) DO UPDATE SET times = times + excluded.times, value = excluded.value
"""
_PRUNE_ITEMS = "DELETE FROM items WHERE state = ? AND who = ? AND key = ? AND times = 0"
_LAST = "SELECT value FROM items WHERE state = ? AND who = ? AND key = ? ORDER BY high DESC, low DESC LIMIT 1"
_COPY = ("INSERT INTO entries SELECT ?, key, a, b, c FROM entries WHERE state = ?",
         "INSERT INTO items SELECT ?, who, key, high, low, value, times FROM items WHERE state = ?")  # fmt: skip
_DROP = ("DELETE FROM entries WHERE state = ?", "DELETE FROM items WHERE state = ?")


class KeySums(NamedTuple):
    """A key and the increments of its three sums.

    Keys with `c` above 0 are listed, ordered by `a`, then `b`.
    """

    key: Key
    a: int
    b: int
    c: int


class GroupItem(NamedTuple):
    """A value, its order (`high`, `low`) in its group, and its count, negative for removals."""

    high: int
    low: int
    value: int
    times: int


class SpillStore:
    """The temporary database, for one thread at a time."""

    def __init__(self, max_bytes: int) -> None:
        file, path = mkstemp(prefix="conflicto-spill-")
        os.close(file)
        self._connection = driver.connect(path, check_same_thread=False, isolation_level=None)
        for pragma in (*_PRAGMAS, f"max_page_count = {max_bytes // PAGE_BYTES}"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_SCHEMA)
        Path(path).unlink()
        self._states = 0
        self._retired: list[list[int]] = []

    def close(self) -> None:
        """Remove the database."""
        self._connection.close()

    def add_state(self) -> int:
        """Create an empty state and return its number."""
        self._states += 1
        return self._states

    def copy_state(self, state: int) -> int:
        """Create a copy of a state and return its number."""
        copy = self.add_state()
        for statement in _COPY:
            self._connection.execute(statement, (copy, state))
        return copy

    def retire(self, states: list[int]) -> None:
        """Schedule the removal of states whose tally is gone. Callable from any thread."""
        self._retired.append(states)

    def drop_retired(self) -> None:
        """Remove the retired states."""
        while self._retired:
            for state in self._retired.pop():
                self._drop_state(state)

    def _drop_state(self, state: int) -> None:
        """Remove a state."""
        for statement in _DROP:
            self._connection.execute(statement, (state,))

    def add(self, state: int, entries: Iterable[KeySums], *, is_signed: bool = False) -> None:
        """Add to the sums of keys, and remove keys whose sums are all 0.

        Without `is_signed`, no stored sum is negative, so only negative increments can lead to 0.
        """
        rows = [(state, *entry) for entry in entries]
        self._connection.execute("BEGIN")
        self._connection.executemany(_ADD, rows)
        self._connection.executemany(_PRUNE, ((state, row[1]) for row in rows if is_signed or min(row[2:]) < 0))
        self._connection.execute("COMMIT")

    def add_items(self, state: int, groups: Iterable[tuple[int, str, Key, Sequence[GroupItem]]], sums_of: SumsOf) -> None:
        """Add items to groups, and update the sums of their entries.

        A group has the shape (participant, key, entry key, items).
        """
        moved: list[KeySums] = []
        self._connection.execute("BEGIN")
        for participant_id, key, entry, items in groups:
            group = (state, participant_id, key)
            before = sums_of(self._last_value(group))
            self._connection.executemany(_ITEM, ((*group, *item) for item in items))
            self._connection.execute(_PRUNE_ITEMS, group)
            after = sums_of(self._last_value(group))
            if after != before:
                moved.append(KeySums(entry, *(new - old for new, old in zip(after, before, strict=True))))
        self._connection.execute("COMMIT")
        self.add(state, moved, is_signed=True)

    def ranked(self, state: int, limit: int) -> list[tuple[Any, int, int]]:
        """Return the first `limit` listed keys with their sums `a` and `b`."""
        return self._connection.execute(_RANKED, (state, limit)).fetchall()  # type: ignore[no-any-return]

    def with_prefix(self, state: int, prefix: str) -> list[tuple[str, int]]:
        """Return the keys that begin with a prefix and U+0000, with their sum `a`."""
        return self._connection.execute(_PREFIXED, (state, prefix + "\0", prefix + "\1")).fetchall()  # type: ignore[no-any-return]

    def extreme_keys(self, state: int) -> tuple[Any, Any] | None:
        """Return the least and the greatest key, None for an empty state."""
        found = [self._connection.execute(_EXTREME.format(order), (state,)).fetchone() for order in ("ASC", "DESC")]
        return (found[0][0], found[1][0]) if found[0] else None

    def sums_between(self, state: int, starts: Sequence[int | float]) -> list[int]:
        """Return the sums `a` of the keys from each start to the next one."""
        counts = [self._connection.execute(_BETWEEN, (state, start, end)).fetchone()[0] for start, end in pairwise(starts)]
        return [*counts, self._connection.execute(_FROM, (state, starts[-1])).fetchone()[0]]

    def all_entries(self, state: int) -> Iterator[tuple[Any, int]]:
        """Yield every key with its sum `a`, in ascending order."""
        yield from self._connection.execute(_ALL, (state,))

    def _last_value(self, group: tuple[int, int, str]) -> int | None:
        found = self._connection.execute(_LAST, group).fetchone()
        return None if found is None else found[0]
