"""Queries about a finished export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.activities.queries import has_deleted_activities
from conflicto.exports.model import JobStatus
from conflicto.participants.queries import has_deleted_participants
from conflicto.responses.queries import has_deleted_responses
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from conflicto.exports.model import ExportJob
    from conflicto.platform.db.transaction import ReadTx


def is_outdated(tx: ReadTx, job: ExportJob) -> bool:
    """Return whether the file of a job holds data that was deleted since.

    Raises:
        NotFound: the session was deleted.
    """
    session_by_id(tx, job.session_id)
    position = {"session_id": job.session_id, "after": job.snapshot_ts}
    return job.status is JobStatus.READY and (
        has_deleted_responses(tx, **position) or has_deleted_participants(tx, **position) or has_deleted_activities(tx, **position)
    )
