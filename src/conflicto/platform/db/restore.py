"""Restore of an archive: built beside the existing database, which it then replaces.

The previous database is kept: under another name (SQLite), or in a schema of its own (PostgreSQL).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import text

from conflicto.platform.db.archive import ArchiveInvalid, open_archive
from conflicto.platform.db.archive_loader import load_archive
from conflicto.platform.db.dialects.dialect import RestoreRefused
from conflicto.platform.db.dialects.registry import dialect_of
from conflicto.platform.db.tables import metadata_obj
from conflicto.platform.db.timeouts import Timeouts
from conflicto.platform.db.transaction import ReadTx

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sqlalchemy import URL, Connection

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.archive import Archive, Header

RESTORE_TIMEOUTS = Timeouts(lock_s=3.0, statement_s=6 * 3600.0)


class RestoreHooks(Protocol):
    """Operations of the packages above, for a restore."""

    revisions: Sequence[str]
    """Every schema revision that this program can upgrade from."""

    def migrate(self, tx: ReadTx, to: str) -> None:
        """Bring the schema to a revision, in the open transaction."""

    def newest_position(self, tx: ReadTx) -> int:
        """Return the newest position of any feed, µs."""

    def begin_epoch(self, tx: ReadTx, clock_us: int) -> None:
        """Begin a new epoch of the restored data, above `clock_us`."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Result of a restore: rows by table, and the place of the previous database or None."""

    header: Header
    rows: dict[str, int]
    previous: str | None


class ArchivedContent:
    """The `NewContent` of an archive."""

    def __init__(self, archive: Archive, hooks: RestoreHooks) -> None:
        self._archive = archive
        self._hooks = hooks
        self.tables: Collection[str] = frozenset(metadata_obj.tables)

    def require_known(self, revision: str | None) -> None:
        """Refuse a database of a newer program."""
        if revision is not None and revision not in self._hooks.revisions:
            raise RestoreRefused(
                f"The database has schema {revision}, which this program does not know. Restore with the program that does."
            )

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed in the existing database, µs."""
        return self._hooks.newest_position(ReadTx(connection))

    def fill(self, connection: Connection, clock_us: int) -> None:
        """Load the archive at its own schema, then migrate it to the newest."""
        tx = ReadTx(connection)
        self._hooks.migrate(tx, self._archive.header.schema)
        load_archive(connection, self._archive)
        self._hooks.migrate(tx, "head")
        self._hooks.begin_epoch(tx, clock_us)
        connection.execute(text("ANALYZE"))


def restore(file: Path, url: URL, hooks: RestoreHooks, clock: Clock) -> Restored:
    """Replace a database by the content of an archive.

    Raises:
        ArchiveInvalid: this program cannot restore the file.
        RestoreRefused: the database is in use, or belongs to a newer program.
    """
    with open_archive(file) as archive:
        if archive.header.schema not in hooks.revisions:
            raise ArchiveInvalid(
                f"{file} has schema {archive.header.schema}, written by version {archive.header.program}; "
                f"this program knows schemas up to {hooks.revisions[-1]}. Restore it with that version or a newer one."
            )
        content = ArchivedContent(archive, hooks)
        previous = dialect_of(url).maintenance.replace(url, content, RESTORE_TIMEOUTS, clock, archive.header.made_us)
    return Restored(archive.header, archive.rows, previous)
