"""Databases of earlier versions: a coherent session in every table, by SQL, at any revision."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Connection, Integer, LargeBinary, MetaData, String, Table, Uuid, insert, select

from conflicto.platform.db.archive import ArchiveWriter, Header, Section
from conflicto.platform.db.engine import Database
from tests.support.patience import PATIENT

SESSION, ANNA, BERT = 101, 201, 202
POLL, FIRST, SECOND, THIRD = (UUID(int=number << 64) for number in (7, 8, 9, 10))
NONE = UUID(int=0)
T = 1_700_000_000_000_000
TEXT = '{"b":1.50,"a":[1E2,"\\u00e9 é"]}'

ROWS: dict[str, list[dict[str, Any]]] = {
    "counters": [{"name": "sessions", "value": 1}],
    "meta": [{"key": "epoch", "value": "aaaaaaaaaa"}],
    "sessions": [
        {"id": SESSION, "title": "Town hall", "status": "active", "join_code": "BCDFGHJK", "locked": False, "token_version": 1,
         "revision": 2, "deleted": False, "created_ts": T, "updated_ts": T + 1,
         "current_activity_id": POLL, "shown_activity_id": POLL, "description": "All", "max_participants": 9, "overlay": "black",
         "subtitle": "Autumn",
         "word_filter": '{"mode":"mask","languages":["en"],"words":["odd"]}'}
    ],
    "feed_heads": [
        {"session_id": SESSION, "ts": T + 6, "ctl": T + 2, "participants": 2, "participants_ts": T + 4, "activities": 1, "transitions": 1,
         "responses": 2, "links_ts": T + 1, "own_ts": T + 7, "pooled": 1,
         "stored_bytes": 4_051}
    ],
    "links": [
        {"id": UUID(fields=(1, 0, 0x8000, 0x80, 0, SESSION)), "session_id": SESSION, "scope": "owner", "name": "Anna",
         "creator": "system", "created_us": T, "expires_us": 2 * T, "revoked_us": T + 1, "changed_ts": T + 1}
    ],
    "transitions": [
        {"session_id": SESSION, "number": 1, "actor": "host", "entity": "session", "entity_id": str(SESSION), "from_status": "draft",
         "to_status": "active", "at_us": T, "reason": "now"}
    ],
    "idempotency_keys": [
        {"id": b"k" * 16, "session_id": SESSION, "fingerprint": b"f" * 16, "status": 201, "entity": FIRST.hex, "owner": ANNA}
    ],
    "activities": [
        {"id": POLL, "session_id": SESSION, "type": "lunch", "config_text": TEXT, "order_index": 0, "status": "active",
         "response_policy": "one", "results_visibility": "always", "responses_visibility": "screen", "moderation": "off",
         "anonymous": False, "round": 1, "started_ts": T + 2, "results_revealed": False, "secret_revealed": False,
         "was_revealed": False, "published_ts": T + 2, "revision": 1, "deleted": False, "created_ts": T + 2, "updated_ts": T + 2,
         "title": "Lunch", "secret_text": "[1]", "aggregate_text": '{"n":{"path":"","op":"count"}}', "duration_seconds": 60,
         "ends_us": 2 * T, "scopes_text": '{"host":["b"]}', "focus_response_id": FIRST, "min_group": 3,
         "type_version": "1"}
    ],
    "session_types": [
        {"session_id": SESSION, "name": "lunch", "version": "x" + 16 * "0", "own_version": "1", "sha256": 64 * "0", "size_bytes": 4,
         "installed_us": T, "pack": b"PK\x05\x06"}
    ],
    "activity_rounds": [
        {"activity_id": POLL, "round": 1, "session_id": SESSION, "live": 2, "live_last_ts": T + 6, "live_changed_ts": T + 6, "visible": 2,
         "visible_last_ts": T + 6, "visible_changed_ts": T + 6, "started_ts": T + 2, "duration_seconds": 60, "release_us": T}
    ],
    "participants": [
        {"id": who, "session_id": SESSION, "nickname": name, "nickname_key": name.lower(), "token_version": 1, "last_seen_us": T,
         "revision": 1, "deleted": False, "created_ts": at, "updated_ts": at}
        for who, name, at in ((ANNA, "Anna", T + 3), (BERT, "Bert", T + 4))
    ],
    "seat_links": [{"id": b"l" * 16, "session_id": SESSION, "participant_id": ANNA, "expires_us": T}],
    "responses": [
        {"id": row, "session_id": SESSION, "activity_id": POLL, "participant_id": who, "round": 1, "slot": NONE, "ts": at,
         "created_ts": at, "received_us": at, "revision": 1, "deleted": False, "moderation": "visible", "was_visible": True,
         "response_text": text, "masked_text": text and '"***"'}
        for row, who, at, text in ((FIRST, ANNA, T + 5, TEXT), (SECOND, BERT, T + 6, "null"))
    ],
    "pooled_responses": [
        {"id": THIRD, "session_id": SESSION, "activity_id": POLL, "participant_id": BERT, "round": 1, "slot": NONE, "ts": T + 7,
         "created_ts": T + 7, "received_us": T + 7, "revision": 1, "deleted": False, "is_spent": False, "moderation": "visible",
         "due_us": T, "response_text": TEXT, "masked_text": TEXT}
    ],
}  # fmt: skip
"""Rows that earlier versions could have written. An earlier schema takes the columns that it
has. A required column that is missing here gets a value by its type."""

VERSIONS = "alembic_version"


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Yield a transaction on a database of any schema, and commit it."""
    db = Database(url, timeouts=PATIENT)
    try:
        with db.writer_connection() as connection, connection.begin():
            yield connection
    finally:
        db.close()


def fill(url: str) -> None:
    """Insert one or two rows into every table of the schema."""
    with connected(url) as connection:
        for table in tables(connection):
            for row in ROWS.get(table.name, [{}]):
                _add(connection, table, row)


def add(url: str, name: str, row: dict[str, Any]) -> None:
    """Insert a row."""
    with connected(url) as connection:
        _add(connection, next(table for table in tables(connection) if table.name == name), row)


def _add(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    connection.execute(insert(table).values({column: _value(column, row) for column in _written(table)}))


def dump(url: str, like: dict[str, list[dict[str, Any]]] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, or of the tables and columns in `like`."""
    with connected(url) as connection:
        return {
            table.name: sorted(
                [dict(row._mapping) for row in connection.execute(select(*_chosen(table, like)))],
                key=lambda row: repr(sorted(row.items())),
            )
            for table in tables(connection)
            if like is None or table.name in like
        }


def tables(connection: Connection) -> list[Table]:
    """Return the tables according to the database."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSIONS]


def _written(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.computed is None]


def _chosen(table: Table, like: dict[str, list[dict[str, Any]]] | None) -> list[Column[Any]]:
    wanted = None if like is None else {name for row in like[table.name] for name in row}
    return [column for column in _written(table) if wanted is None or column.name in wanted]


def _value(column: Column[Any], row: dict[str, Any]) -> Any:
    value = row.get(column.name, None if column.nullable else _made(column))
    if isinstance(value, UUID) and not isinstance(column.type, Uuid):
        return value.bytes
    return value


def _made(column: Column[Any]) -> Any:
    for kind, value in ((Uuid, POLL), (LargeBinary, POLL.bytes), (Boolean, True), (Integer, 1), (String, "x")):
        if isinstance(column.type, kind):
            return value
    raise AssertionError(column)


def write_archive(url: str, file: Path) -> None:
    """Back up a database like the program of its schema."""
    with connected(url) as connection, file.open("wb") as target:
        at = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
        archive = ArchiveWriter(target, Header(at, T, "then", "an earlier version", connection.dialect.name, "aaaaaaaaaa"))
        for table in tables(connection):
            columns = _written(table)
            kinds = tuple(next((kind for form, kind in _KINDS if isinstance(column.type, form)), "plain") for column in columns)
            rows = [[_comparable(value) for value in row] for row in connection.execute(select(*columns))]
            archive.section(Section(str(table.name), tuple(str(column.name) for column in columns), kinds), rows)
        archive.finish()


_KINDS = ((Uuid, "uuid"), (LargeBinary, "bytes"), (Boolean, "bool"))


def _comparable(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value.hex() if isinstance(value, bytes) else value
