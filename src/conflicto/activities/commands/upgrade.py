"""Command that stores the JSON of an activity in another version of its type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conflicto.activities import store
from conflicto.activities.commands.edit import content_bytes
from conflicto.activities.events import ActivityChanged

if TYPE_CHECKING:
    from conflicto.activities.model import Activity, Content
    from conflicto.platform.db.transaction import WriteTx


def save_in_version(tx: WriteTx, activity: Activity, contents: tuple[Content, Content], version: str) -> None:
    """Store an activity in a version; `contents` are its JSON before and after.

    The caller upgrades the answers in the same transaction.
    """
    before, after = contents
    stamp = tx.next_ts(activity.session_id)
    upgraded = replace(activity, type_version=version, revision=activity.revision + 1, updated_ts=stamp)
    tx.head(activity.session_id).add_count("stored_bytes", content_bytes(upgraded, after) - content_bytes(activity, before))
    store.save(tx, upgraded, after)
    tx.emit(ActivityChanged(upgraded))
