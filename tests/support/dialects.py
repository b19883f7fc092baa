"""A table with every kind of column, and transactions that are rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, Text, select, text

from conflicto.platform.db.bulk import RecordMapping
from conflicto.platform.db.engine import Database
from conflicto.platform.db.tables import Uuid16
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.platform.instants import US_PER_S

SHORT = Timeouts(connect_s=2.0, lock_s=0.3, acquire_s=2.0, statement_s=20.0, caller_s=30.0)

MAX_CLOCK_DIFFERENCE_US = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class Thing:
    """A record with a field of every kind."""

    id: UUID
    name: str | None
    amount: int
    flag: bool
    raw: bytes | None


THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid16, primary_key=True),
    Column("label", Text),
    Column("amount", BigInteger),
    Column("flag", Boolean),
    Column("raw", LargeBinary),
)
COLUMNS = {"id": "id", "name": "label", "amount": "amount", "flag": "flag", "raw": "raw"}
RECORDS = RecordMapping(THINGS, COLUMNS, updated=("name", "flag", "raw"))

MADE = [
    Thing(UUID(int=1), "plain", 1, True, b""),
    Thing(UUID(int=2**128 - 1), "'; DROP TABLE things; -- %s :name ? \\ \"\U0001f600", 2**63 - 1, False, bytes(range(256))),
    Thing(UUID("00112233-4455-6677-8899-aabbccddeeff"), None, -5, True, None),
]


@contextmanager
def undone(db: Database) -> Iterator[WriteTx]:
    """Yield a transaction of the writer, which is rolled back."""
    with db.writer_connection() as connection:
        transaction = connection.begin()
        try:
            yield WriteTx(connection, now_us=1, heads={}, subscribers={})
        finally:
            transaction.rollback()


def things(tx: ReadTx) -> list[Thing]:
    return [Thing(row.id, row.label, row.amount, row.flag, _plain(row.raw)) for row in tx.all(select(THINGS))]


def _plain(raw: Any) -> bytes | None:
    return None if raw is None else bytes(raw)


def write_counter(db: Database) -> None:
    with undone(db) as tx:
        tx.write(text("INSERT INTO counters (name, value) VALUES ('contract', 1)"))
