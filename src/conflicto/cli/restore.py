"""What `conflicto db restore` is put together from: the platform's part, and what the rooms know of a new life."""

from __future__ import annotations

import importlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conflicto.access.identity import begin_epoch, move_keys_to_files
from conflicto.participants.commands.seats import remove
from conflicto.participants.events import ParticipantRemoved
from conflicto.participants.queries import erased_ids, present_seats
from conflicto.platform.clock import Clock
from conflicto.platform.db.archive import Header, open_archive
from conflicto.platform.db.database_url import parse_database_url
from conflicto.platform.db.engine import Database
from conflicto.platform.db.restore import Restored, restore
from conflicto.platform.db.schema import SCHEMA, revision
from conflicto.platform.db.transaction import ReadTx, WriteTx
from conflicto.responses.commands.change import erase_answers
from conflicto.responses.queries import has_answers
from conflicto.sessions.feed_heads import FeedHeads
from conflicto.sessions.gaps import newest_position, open_gaps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from conflicto.settings import Settings


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """What was restored, and what lies aside."""

    header: Header
    rows: dict[str, int]
    previous: str | None
    previous_key: Path | None
    forgotten: int


class PackageHooks:
    """The rooms' part in a restore."""

    def __init__(self) -> None:
        self._migrations: Any = importlib.import_module("conflicto.migrations")
        self.revisions: Sequence[str] = self._migrations.known_revisions()
        self.forgotten: dict[int, bool] = {}

    def migrate(self, connection: Connection, to: str) -> None:
        """Bring the schema to a revision, in the open transaction."""
        self._migrations.upgrade_within(connection, to)

    def newest_position(self, connection: Connection) -> int:
        """Return the newest position of any feed, µs, and note who was forgotten: what is read here is the database that goes."""
        if revision(connection) == SCHEMA:
            tx = ReadTx(connection)
            self.forgotten = {each: not has_answers(tx, each) for each in erased_ids(tx)}
        return newest_position(connection)

    def begin_epoch(self, connection: Connection, clock_us: int) -> None:
        """Begin a new life: feeds above every position of the lost one, a new epoch, nobody who was forgotten."""
        begins = open_gaps(connection, clock_us)
        self.forgotten = _forget_again(connection, self.forgotten, begins)
        begin_epoch(ReadTx(connection))


def _forget_again(connection: Connection, forgotten: Mapping[int, bool], now_us: int) -> dict[int, bool]:
    """Erase those who asked for it after the backup, with their answers if they asked for that too; returns who that was."""
    back = present_seats(ReadTx(connection), forgotten)
    heads = FeedHeads().lock(connection, sorted({seat.session_id for seat in back.values()})) if back else {}
    tx = WriteTx(connection, now_us=now_us, heads=heads, subscribers={ParticipantRemoved: [erase_answers]})
    for participant_id in back:
        remove(tx, participant_id, erase_answers=forgotten[participant_id], forget=True)
    FeedHeads().save(tx, tx.heads)
    return {each: forgotten[each] for each in back}


def restore_archive(file: Path, settings: Settings) -> RestoreSummary:
    """Restore an archive into the database of the settings; raises as `platform.db.restore.restore` does."""
    rooms = PackageHooks()
    done: Restored = restore(file, parse_database_url(settings.url), rooms, Clock())
    with closing(Database(settings.url)) as db:
        aside = move_keys_to_files(db, settings.data_dir)
    return RestoreSummary(done.header, done.rows, done.previous, aside, len(rooms.forgotten))


def inspect_archive(file: Path) -> tuple[Header, dict[str, int]]:
    """Return what an archive says of itself, and the rows of each table after counting them.

    Raises:
        ArchiveUnusable: it is not whole.
    """
    with open_archive(file) as archive:
        for _, rows in archive.sections():
            for _ in rows:
                pass
        return archive.header, archive.rows
