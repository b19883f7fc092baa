"""Service of exports: the writer and the jobs of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.exports.folder import JobFolder
from conflicto.exports.jobs import ExportJobs
from conflicto.exports.writer import ExportWriter
from conflicto.sessions.events import SessionChanged

if TYPE_CHECKING:
    from pathlib import Path

    from conflicto.activity_types.registry import Registry
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.event_bus import EventBus


class Exports:
    """The writer of this process, and the jobs that all processes of a machine share."""

    def __init__(self, db: Database, types: Registry, path: Path, clock: Clock) -> None:
        folder = JobFolder(path, clock)
        self.writer = ExportWriter(db, types, folder, clock)
        self.jobs = ExportJobs(db, folder)

    def subscribe(self, bus: EventBus) -> None:
        """Remove the files of a session when it is deleted."""
        bus.subscribe(SessionChanged, self._sweep_if_deleted)

    def _sweep_if_deleted(self, event: SessionChanged) -> None:
        if event.session.deleted:
            self.jobs.request_sweep()

    async def run(self) -> None:
        """Sweep jobs until cancelled, then remove the files of this process."""
        try:
            await self.jobs.run()
        finally:
            await self.writer.remove_files()
