"""The contract of the dialects: both databases keep each promise of `dialects/dialect.py`."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, bindparam, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from conflicto.platform.clock import Clock
from conflicto.platform.db.dialects.dialect import Dialect, Maintenance, ServerInspector
from conflicto.platform.db.dialects.registry import DIALECTS, dialect_of, parse_database_url
from conflicto.platform.db.engine import Database, PoolSize
from conflicto.platform.db.key_lookup import KeyLookup
from conflicto.platform.db.metadata import EPOCH, ensure_metadata
from conflicto.platform.db.slow_queries import SlowQueries
from conflicto.platform.db.tables import Uuid16
from conflicto.platform.db.transaction import WriteTx
from tests.support.dialects import MADE, MAX_CLOCK_DIFFERENCE_US, RECORDS, SHORT, THINGS, things, undone, write_counter

ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
MAX_END_S = 10.0
"""Time in which an endless statement ends; without an interruption it takes 20 s."""

BY_ID = KeyLookup(select(THINGS), THINGS.c.id)
BY_VALUES = KeyLookup(select(THINGS.c.id).where(THINGS.c.amount <= bindparam("most")), THINGS.c.label, THINGS.c.amount)
BY_BYTES = KeyLookup(select(THINGS.c.id), THINGS.c.raw)


def test_each_member_of_the_protocols_is_in_this_contract() -> None:
    suite = Path(__file__).parent.glob("test_dialects*.py")
    calls = {name for module in suite for name in re.findall(r"\.(\w+)", module.read_text("utf-8"))}

    for protocol in (Dialect, Maintenance, ServerInspector):
        members = {name for name in {*vars(protocol), *protocol.__annotations__} if not name.startswith("_")}
        assert members <= calls


# Connections --------------------------------------------------------------------------------------


def test_a_url_and_a_connection_lead_to_the_same_dialect(db: Database, database_url: str) -> None:
    with undone(db) as tx:
        assert dialect_of(parse_database_url(database_url)) is db.dialect is tx.dialect is DIALECTS[db.dialect.name]


def test_the_version_of_this_database_is_supported(db: Database) -> None:
    with db.writer_connection() as connection:
        db.dialect.require_supported(connection)


def test_readers_are_at_least_one_and_at_most_the_connections(db: Database) -> None:
    assert [db.dialect.max_readers(1), db.dialect.max_readers(2)] == [1, 2]
    assert 2 < db.dialect.max_readers(1_000) <= 1_000


def test_readers_see_one_snapshot_and_write_nothing(db: Database) -> None:
    engine = db.dialect.open_readers(db.url, SHORT, SlowQueries(), size=1, overflow=0, timeline=lambda: None)
    count = text("SELECT count(*) FROM counters")
    with engine.connect() as reader, reader.begin():
        assert reader.execute(count).scalar_one() == 0
        with db.writer_connection() as writer, writer.begin():
            writer.execute(text("INSERT INTO counters (name, value) VALUES ('contract', 1)"))
        assert reader.execute(count).scalar_one() == 0
        with pytest.raises(DBAPIError):
            reader.execute(text("DELETE FROM counters"))
    engine.dispose()


def test_a_writer_waits_for_another_one_and_then_gives_up(db: Database, other_db: Database) -> None:
    insertion = text("INSERT INTO counters (name, value) VALUES ('contract', 1)")
    engine = db.dialect.open_writer(db.url, SHORT, SlowQueries())
    with undone(other_db) as first, engine.connect() as second:
        first.write(insertion)
        with pytest.raises(OperationalError), second.begin():
            second.execute(insertion)
    engine.dispose()


@pytest.mark.timed
def test_a_readers_statement_is_interrupted_from_another_thread(db: Database) -> None:
    engine = db.dialect.open_readers(db.url, SHORT, SlowQueries(), size=1, overflow=0, timeline=lambda: None)
    with engine.connect() as reader:
        transaction = reader.begin()
        timer = threading.Timer(0.3, db.dialect.interrupt, (reader,))
        timer.start()
        began_s = time.monotonic()
        with pytest.raises(DBAPIError):
            reader.execute(ENDLESS)
        assert time.monotonic() - began_s < MAX_END_S
        timer.join()
        transaction.rollback()
        if db.dialect.cancels_late:
            reader.invalidate()
    engine.dispose()


def test_a_cancellation_that_may_come_late_is_one_of_a_shared_database(db: Database) -> None:
    assert db.dialect.cancels_late is db.dialect.is_shared


@pytest.mark.timed
def test_a_statement_beyond_its_timeout_ends(database_url: str) -> None:
    db = Database(database_url, pool=PoolSize(2, 1), timeouts=replace(SHORT, statement_s=2.0))
    began_s = time.monotonic()
    with undone(db) as tx:
        tx.dialect.set_statement_timeout(tx.connection, 0.2)
        with pytest.raises(OperationalError):
            tx.scalar(ENDLESS)
    assert time.monotonic() - began_s < MAX_END_S
    db.close()


def test_the_drivers_errors_have_one_base(db: Database) -> None:
    with undone(db) as tx:
        raw: Any = tx.connection.connection.driver_connection
        with pytest.raises(db.dialect.driver_error):
            raw.cursor().execute("NO SQL")


def test_an_error_that_may_pass_is_not_explained(db: Database) -> None:
    assert db.dialect.explain(RuntimeError("a fault of the program")) is None
    with undone(db) as tx, pytest.raises(DBAPIError) as caught:
        tx.scalar(text("NO SQL"))
    assert db.dialect.explain(caught.value) is None


# Transactions -------------------------------------------------------------------------------------


def test_the_clock_of_the_feed_is_in_microseconds_and_goes_on(db: Database) -> None:
    clock = Clock()
    with undone(db) as tx:
        first = tx.dialect.now_us(tx.connection, clock)
        time.sleep(0.01)
        second = tx.dialect.now_us(tx.connection, clock)
    assert 10_000 <= second - first < MAX_CLOCK_DIFFERENCE_US
    assert abs(second - Clock().wall_us()) < MAX_CLOCK_DIFFERENCE_US


def test_a_locked_table_takes_no_writes_of_others_and_can_be_read(db: Database, other_db: Database) -> None:
    with undone(db) as tx:
        tx.dialect.lock_table(tx.connection, "counters")
        with pytest.raises(OperationalError):
            write_counter(other_db)
        assert other_db.query(lambda read: read.scalar(text("SELECT count(*) FROM counters"))) == 0
    write_counter(other_db)


def test_records_are_stored_and_updated_as_they_are(tx: WriteTx) -> None:
    tx.dialect.insert_records(tx, RECORDS, MADE)
    assert sorted(things(tx), key=lambda thing: thing.amount) == sorted(MADE, key=lambda thing: thing.amount)

    changed = [replace(thing, name="new", flag=not thing.flag, raw=b"\x00") for thing in MADE[:2]]
    unknown = replace(MADE[0], id=UUID(int=77))
    tx.dialect.update_records(tx, RECORDS, [*changed, unknown])
    assert sorted(things(tx), key=lambda thing: thing.amount) == sorted([*changed, MADE[2]], key=lambda thing: thing.amount)


def test_a_record_that_does_not_fit_fails_all(tx: WriteTx) -> None:
    savepoint = tx.connection.begin_nested()
    with pytest.raises(IntegrityError):
        tx.dialect.insert_records(tx, RECORDS, [*MADE, MADE[0]])
    savepoint.rollback()
    assert things(tx) == []


def test_keys_find_their_rows(tx: WriteTx) -> None:
    tx.dialect.insert_records(tx, RECORDS, MADE)
    find = tx.dialect.find_by_keys

    assert {row.id for row in find(tx, BY_ID, [(thing.id,) for thing in MADE] + [(UUID(int=5),)])} == {each.id for each in MADE}
    keys = [(thing.name, thing.amount) for thing in MADE[:2]] + [("plain", 2)]
    assert [row.id for row in find(tx, BY_VALUES, keys, most=1)] == [MADE[0].id]
    assert len(find(tx, BY_VALUES, keys, most=2**63 - 1)) == 2
    assert [row.id for row in find(tx, BY_BYTES, [(bytes(range(256)).hex(),)])] == [MADE[1].id]
    assert list(find(tx, BY_ID, [])) == []


def test_a_uuid_has_one_column_type(tx: WriteTx) -> None:
    declared = Uuid16().load_dialect_impl(tx.connection.dialect)
    assert type(declared) is type(tx.connection.dialect.type_descriptor(tx.dialect.uuid_type))


def test_jsonb_columns_exist_where_they_are_promised(db: Database) -> None:
    with undone(db) as tx:
        columns = {column["name"] for column in inspect(tx.connection).get_columns("responses")}
    assert ("response_data" in columns) is db.dialect.has_jsonb


# Server -------------------------------------------------------------------------------------------


def on_server(db: Database, inspection: Callable[[ServerInspector, Connection], Any]) -> Any:
    """Return what the server says; a database in a file has none."""
    server = db.dialect.server
    assert (server is not None) is db.dialect.is_shared
    if server is None:
        pytest.skip("a database in a file")
    with db.writer_connection() as connection:
        return inspection(server, connection)


def test_a_server_is_known_by_cluster_timeline_and_database(db: Database) -> None:
    first = on_server(db, lambda server, connection: (server.timeline(connection), server.database_id(connection)))
    assert first == on_server(db, lambda server, connection: (server.timeline(connection), server.database_id(connection)))
    assert all(first[0])
    assert first[1].isdigit()


def test_a_servers_state_is_one_row(db: Database) -> None:
    epoch, _ = ensure_metadata(db, EPOCH, lambda: "aaaaaaaaaa")
    timeline = on_server(db, lambda server, connection: server.timeline(connection)[1])
    state, hidden, now_us = on_server(
        db,
        lambda server, connection: (
            connection.execute(server.state_query(timeline)).one(),
            connection.execute(server.state_query("")).one(),
            server.now_us(connection),
        ),
    )
    assert (state.timeline, state.epoch) == (timeline, epoch)
    assert (hidden.timeline, hidden.epoch) == ("", epoch)
    assert 0 <= now_us - state.now_us < MAX_CLOCK_DIFFERENCE_US


def test_readers_refuse_a_server_on_another_timeline(db: Database) -> None:
    on_server(db, lambda *_: None)
    engine = db.dialect.open_readers(db.url, SHORT, SlowQueries(), size=1, overflow=0, timeline=lambda: "0BADBAD0")
    with pytest.raises(OperationalError, match="another timeline"):
        engine.connect()
    engine.dispose()


def test_a_server_reports_its_connection_limit(db: Database) -> None:
    limit = on_server(db, lambda server, connection: server.connection_limit(connection))
    assert limit is None or 0 <= limit.used <= limit.max_connections > 0
