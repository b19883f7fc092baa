"""The contract of the dialects in migrations, checks, backup and restore."""

import re
import time

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from conflicto.platform.clock import Clock
from conflicto.platform.db.archive import Section
from conflicto.platform.db.dialects import postgresql_connections, postgresql_restore
from conflicto.platform.db.dialects.dialect import RestoreRefused
from conflicto.platform.db.dialects.registry import dialect_of, parse_database_url
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.schema import SCHEMA, revision
from conflicto.platform.db.tables import metadata_obj, value_kind
from conflicto.platform.db.transaction import WriteTx
from conflicto.platform.instants import US_PER_S
from tests.support.dialects import MADE, MAX_CLOCK_DIFFERENCE_US, RECORDS, SHORT, THINGS, things, undone, write_counter


def test_a_migration_keeps_others_from_every_table(db: Database, other_db: Database) -> None:
    with undone(db) as tx:
        tx.dialect.maintenance.lock_schema(tx.connection, first_table="feed_heads", is_current=lambda: False)
        with pytest.raises(OperationalError):
            write_counter(other_db)
    write_counter(other_db)


def test_operators_see_version_and_durability(db: Database) -> None:
    with undone(db) as tx:
        version, durability = tx.dialect.maintenance.version_and_durability(tx)
    assert re.match(r"\d+\.\d+", version)
    assert durability in {"synchronous=FULL", "synchronous_commit=on"}


def test_a_sound_database_passes_its_checks(db: Database) -> None:
    with undone(db) as tx:
        checks = {check.name: check for check in tx.dialect.maintenance.checks(tx)}
        assert tx.dialect.maintenance.find_damage(tx) == []
    assert {"version", "durability"} <= checks.keys()
    assert checks["version"].ok
    assert all(check.detail for check in checks.values())


def test_a_transaction_may_pause(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_connections, "IDLE_IN_TRANSACTION_TIMEOUT_S", 0.2)
    db = Database(database_url, pool=PoolSize(2, 1), timeouts=SHORT)
    with undone(db) as tx:
        tx.dialect.maintenance.allow_pauses(tx.connection)
        time.sleep(0.6)
        assert tx.scalar(text("SELECT 1")) == 1
    db.close()


def test_rows_leave_and_return_in_the_form_of_an_archive(tx: WriteTx) -> None:
    maintenance = tx.dialect.maintenance
    columns = list(THINGS.columns)
    section = Section("things", tuple(column.name for column in columns), tuple(map(value_kind, columns)))
    tx.dialect.insert_records(tx, RECORDS, MADE)

    stored = [list(row) for row in maintenance.stored_rows(tx, THINGS, section.kinds)]
    assert sorted(stored, key=lambda row: row[2]) == sorted(
        ([each.id.hex, each.name, each.amount, each.flag, None if each.raw is None else each.raw.hex()] for each in MADE),
        key=lambda row: row[2],
    )
    assert all(type(row[3]) is bool for row in stored)

    tx.write(text("DELETE FROM things"))
    maintenance.load_rows(tx.connection, section, iter(stored))
    assert sorted(things(tx), key=lambda thing: thing.amount) == sorted(MADE, key=lambda thing: thing.amount)


def test_indexes_are_dropped_and_made_again_by_their_definitions(tx: WriteTx) -> None:
    tx.write(text("CREATE INDEX ix_things_label ON things (label)"))
    indexes = tx.dialect.maintenance.indexes(tx.connection, "things")

    assert [name for name, _ in indexes] == ["ix_things_label"]  # not that of the primary key
    tx.connection.exec_driver_sql('DROP INDEX "ix_things_label"')
    assert tx.dialect.maintenance.indexes(tx.connection, "things") == []
    tx.connection.exec_driver_sql(indexes[0][1])
    assert tx.dialect.maintenance.indexes(tx.connection, "things") == indexes


class Replacement:
    """New content: one table `restored`. `fault` fails the fill."""

    tables = frozenset(metadata_obj.tables)

    def __init__(self, newest_us: int = 0, fault: Exception | None = None) -> None:
        self.newest_us, self.fault = newest_us, fault
        self.known: list[str | None] = []
        self.clock_us = 0

    def require_known(self, revision: str | None) -> None:
        self.known.append(revision)

    def newest_position(self, connection: Connection) -> int:
        assert connection.execute(text("SELECT count(*) FROM counters")).scalar_one() == 0
        return self.newest_us

    def fill(self, connection: Connection, clock_us: int) -> None:
        self.clock_us = clock_us
        connection.execute(text("CREATE TABLE restored (id integer)"))
        if self.fault is not None:
            raise self.fault


def _replace(url: str, content: Replacement, made_us: int = 0) -> str | None:
    parsed = parse_database_url(url)
    return dialect_of(parsed).maintenance.replace(parsed, content, SHORT, Clock(), made_us)


def _seen(url: str) -> tuple[str | None, bool]:
    """Return the revision, and whether the new table is there."""
    db = Database(url, pool=PoolSize(2, 1), timeouts=SHORT)
    with undone(db) as tx:
        seen = revision(tx.connection), inspect(tx.connection).has_table("restored")
    db.close()
    return seen


def test_a_replacement_that_fails_has_no_effect(database_url: str) -> None:
    with pytest.raises(RuntimeError, match="no room"):
        _replace(database_url, Replacement(fault=RuntimeError("no room")))
    assert _seen(database_url) == (SCHEMA, False)


@pytest.mark.parametrize(("newest_s", "made_s"), [(0, 0), (4e9, 0), (0, 4e9)])
def test_new_content_begins_above_all_positions_and_keeps_the_previous_database(
    database_url: str, newest_s: float, made_s: float
) -> None:
    content = Replacement(newest_us=int(newest_s) * US_PER_S)
    before_us = Clock().wall_us() - MAX_CLOCK_DIFFERENCE_US

    previous = _replace(database_url, content, int(made_s) * US_PER_S)

    assert previous is not None
    assert "before_restore_" in previous
    assert _seen(database_url) == (None, True)
    assert content.clock_us >= max(before_us, newest_s * US_PER_S, made_s * US_PER_S)


def test_a_database_in_use_is_not_replaced(db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_restore, "MAX_ENDING_S", 0.1)
    with undone(db), pytest.raises(RestoreRefused):
        _replace(database_url, Replacement())
    assert _seen(database_url) == (SCHEMA, False)
