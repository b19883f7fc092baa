"""Wiring of `conflicto db restore`: the platform's restore with the packages' hooks."""

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
from conflicto.platform.db.dialects.registry import parse_database_url
from conflicto.platform.db.engine import Database
from conflicto.platform.db.restore import Restored, restore
from conflicto.platform.db.schema import SCHEMA, revision
from conflicto.platform.db.transaction import WriteTx
from conflicto.responses.commands.change import erase_responses
from conflicto.responses.queries import has_responses
from conflicto.sessions.feed_gaps.store import newest_position, open_gaps
from conflicto.sessions.feed_heads.store import FeedHeads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conflicto.platform.db.transaction import ReadTx
    from conflicto.settings import Settings


@dataclass(frozen=True, slots=True)
class RestoreSummary:
    """Result of a restore: rows by table, and the places of the previous database and key."""

    header: Header
    rows: dict[str, int]
    previous: str | None
    previous_key: Path | None
    forgotten: int


class PackageHooks:
    """Operations of the domain packages in a restore."""

    def __init__(self) -> None:
        self._migrations: Any = importlib.import_module("conflicto.migrations")
        self.revisions: Sequence[str] = self._migrations.known_revisions()
        self.forgotten: dict[int, bool] = {}

    def migrate(self, tx: ReadTx, to: str) -> None:
        """Bring the schema to a revision, in the open transaction."""
        self._migrations.upgrade_within(tx.connection, to)

    def newest_position(self, tx: ReadTx) -> int:
        """Return the newest position of any feed in the previous database, µs.

        Also records which participants were erased there.
        """
        if revision(tx.connection) == SCHEMA:
            self.forgotten = {each: not has_responses(tx, each) for each in erased_ids(tx)}
        return newest_position(tx.connection)

    def begin_epoch(self, tx: ReadTx, clock_us: int) -> None:
        """Begin a new epoch, with feeds above every earlier position.

        Participants who were erased after the backup are erased again.
        """
        begins = open_gaps(tx.connection, clock_us)
        self.forgotten = _erase_again(tx, self.forgotten, begins)
        begin_epoch(tx)


def _erase_again(restored: ReadTx, forgotten: Mapping[int, bool], now_us: int) -> dict[int, bool]:
    """Erase participants who were erased after the backup, with answers if they asked for that.

    Returns those who were erased.
    """
    back = present_seats(restored, forgotten)
    heads = FeedHeads().lock(restored.connection, sorted({seat.session_id for seat in back.values()})) if back else {}
    tx = WriteTx(restored.connection, now_us=now_us, heads=heads, subscribers={ParticipantRemoved: [erase_responses]})
    for participant_id in back:
        remove(tx, participant_id, erase_responses=forgotten[participant_id], forget=True)
    FeedHeads().save(tx, tx.heads)
    return {each: forgotten[each] for each in back}


def restore_archive(file: Path, settings: Settings) -> RestoreSummary:
    """Restore an archive into the settings' database; raises as `platform.db.restore.restore`."""
    hooks = PackageHooks()
    done: Restored = restore(file, parse_database_url(settings.url), hooks, Clock())
    with closing(Database(settings.url)) as db:
        previous_key = move_keys_to_files(db, settings.data_dir)
    return RestoreSummary(done.header, done.rows, done.previous, previous_key, len(hooks.forgotten))


def inspect_archive(file: Path) -> tuple[Header, dict[str, int]]:
    """Return an archive's header, and the counted rows of each table.

    Raises:
        ArchiveInvalid: it is incomplete or damaged.
    """
    with open_archive(file) as archive:
        for _, rows in archive.sections():
            for _ in rows:
                pass
        return archive.header, archive.rows
