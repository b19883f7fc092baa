"""Loads an archive's rows into empty tables, by each database's fastest method."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from conflicto.platform.db.archive import ArchiveInvalid
from conflicto.platform.db.transaction import ReadTx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from conflicto.platform.db.archive import Archive


def load_archive(connection: Connection, archive: Archive) -> None:
    """Fill the archive's tables; the schema must be the archive's.

    Raises:
        ArchiveInvalid: a table or column is missing, or the row counts differ.
    """
    known, maintenance = inspect(connection), ReadTx(connection).dialect.maintenance
    tables = {name: {each["name"] for each in known.get_columns(name)} for name in known.get_table_names()}
    for section, rows in archive.sections():
        if not set(section.columns) <= tables.get(section.table, set()):
            raise ArchiveInvalid(f"Schema {archive.header.schema} has no table {section.table} with these columns.")
        with _without_indexes(connection, maintenance.indexes(connection, section.table)):
            maintenance.load_rows(connection, section, rows)


@contextmanager
def _without_indexes(connection: Connection, indexes: list[tuple[str, str]]) -> Iterator[None]:
    """Drop indexes for the block: building one after the rows costs a third of growing it."""
    for name, _ in indexes:
        connection.exec_driver_sql(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        connection.exec_driver_sql(definition)
