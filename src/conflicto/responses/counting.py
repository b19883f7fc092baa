"""The counts of a round, kept in the transaction that changes its responses: pure arithmetic over (before, after) pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activities.model import Counts
    from conflicto.responses.model import Response

Change = "tuple[Response | None, Response]"


def counted(counts: Counts, changes: Iterable[tuple[Response | None, Response]]) -> Counts:
    """Return the counts after `changes`, given in feed order.

    A newest-response timestamp that a deletion may have made wrong becomes 0: the caller looks the right one up.
    """
    for before, after in changes:
        counts = _visible(_live(counts, before, after), before, after)
    return counts


def _live(counts: Counts, before: Response | None, after: Response) -> Counts:
    was, now = before is not None and not before.deleted, not after.deleted
    if not (was or now):
        return counts
    last = _last(counts.live_last_ts, before.ts if before and was else None, after.ts if now else None)
    return replace(counts, live=counts.live + now - was, live_last_ts=last, live_changed_ts=after.ts)


def _visible(counts: Counts, before: Response | None, after: Response) -> Counts:
    was, now = before is not None and before.is_visible, after.is_visible
    if not (was or now):
        return replace(counts, visible_changed_ts=after.ts) if after.was_visible else counts
    last = _last(counts.visible_last_ts, before.ts if before and was else None, after.ts if now else None)
    return replace(counts, visible=counts.visible + now - was, visible_last_ts=last, visible_changed_ts=after.ts)


def _last(last: int | None, gone: int | None, come: int | None) -> int | None:
    if come is not None:
        return come
    return 0 if gone == last else last
