"""Loads an archive's rows into empty tables, by each database's fastest method."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy import column, insert, inspect, table, text

from conflicto.platform.db.archive import ArchiveInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from conflicto.platform.db.archive import Archive, Section

INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :name",
    "postgresql": (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = :name "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace)"
    ),
}
"""Queries for indexes without a constraint. Building one after the rows costs a third of growing
it."""


def load_archive(connection: Connection, archive: Archive) -> None:
    """Fill the archive's tables; the schema must be the archive's.

    Raises:
        ArchiveInvalid: a table or column is missing, or the row counts differ.
    """
    known = inspect(connection)
    tables = {name: {each["name"] for each in known.get_columns(name)} for name in known.get_table_names()}
    for section, rows in archive.sections():
        if not set(section.columns) <= tables.get(section.table, set()):
            raise ArchiveInvalid(f"Schema {archive.header.schema} has no table {section.table} with these columns.")
        with _without_indexes(connection, section.table):
            (_fill_sqlite if connection.dialect.name == "sqlite" else _fill_postgres)(connection, section, rows)


@contextmanager
def _without_indexes(connection: Connection, name: str) -> Iterator[None]:
    found = connection.execute(text(INDEXES[connection.dialect.name]), {"name": name}).all()
    for index, _ in found:
        connection.exec_driver_sql(f'DROP INDEX "{index}"')
    yield
    for _, definition in found:
        connection.exec_driver_sql(definition)


def _fill_sqlite(connection: Connection, section: Section, rows: Iterator[list[Any]]) -> None:
    statement = insert(table(section.table, *map(column, section.columns))).compile(dialect=connection.dialect)
    raw: Any = connection.connection.driver_connection
    raw.executemany(str(statement), _read(rows, section, {"bytes": bytes.fromhex, "uuid": bytes.fromhex}))


def _fill_postgres(connection: Connection, section: Section, rows: Iterator[list[Any]]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, section.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(section.table), names)
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        for row in _read(rows, section, {"bytes": r"\x{}".format}):
            copy.write_row(row)


def _read(rows: Iterator[list[Any]], section: Section, readers: dict[str, Callable[[Any], Any]]) -> Iterator[list[Any]]:
    """Yield rows in the form that the driver takes."""
    special = [(index, readers[kind]) for index, kind in enumerate(section.kinds) if kind in readers]
    for row in rows:
        for index, read in special:
            if row[index] is not None:
                row[index] = read(row[index])
        yield row
