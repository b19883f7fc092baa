"""Arithmetic of a round's counts over (before, after) pairs of responses: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activities.model import Counts
    from conflicto.responses.model import ParticipantResponse


@dataclass(slots=True)
class _ResponseCounter:
    """Counter of live or of visible responses."""

    count: int
    last_ts: int | None
    changed_ts: int

    def apply(self, was_ts: int | None, now_ts: int | None, at_ts: int) -> None:
        """Move a counted response from `was_ts` to `now_ts`, each None if it does not count."""
        self.count += (now_ts is not None) - (was_ts is not None)
        self.changed_ts = at_ts
        if now_ts is not None:
            self.last_ts = now_ts
        elif was_ts == self.last_ts:
            self.last_ts = 0


def updated_counts(counts: Counts, changes: Iterable[tuple[ParticipantResponse | None, ParticipantResponse]]) -> Counts:
    """Return the counts after `changes`, given in feed order.

    A newest-response timestamp that a deletion invalidated becomes 0: the caller reads it again.
    """
    live = _ResponseCounter(counts.live, counts.live_last_ts, counts.live_changed_ts)
    visible = _ResponseCounter(counts.visible, counts.visible_last_ts, counts.visible_changed_ts)
    for before, after in changes:
        was = None if before is None or before.deleted else before.ts
        now = None if after.deleted else after.ts
        if was is not None or now is not None:
            live.apply(was, now, after.ts)
        was_visible = was if before is not None and before.is_visible else None
        now_visible = now if after.is_visible else None
        if was_visible is not None or now_visible is not None:
            visible.apply(was_visible, now_visible, after.ts)
        elif after.was_visible:
            visible.changed_ts = after.ts
    return replace(
        counts,
        live=live.count, live_last_ts=live.last_ts, live_changed_ts=live.changed_ts,
        visible=visible.count, visible_last_ts=visible.last_ts, visible_changed_ts=visible.changed_ts,
    )  # fmt: skip
