"""Pages of the feed: the changes after a position, with the cursor of the same snapshot.

Every page is read in one snapshot, head first. Timestamp order is commit order
(`platform/db/sequence.py`), so all rows up to the head are present. A client that continues from
the cursor misses no row and reads no revision twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from conflicto.activities.queries import activity_by_id, counts_by_round
from conflicto.feed.errors import CursorExpired
from conflicto.feed.row_sources import MAX_PAGE_CHARS, DatabaseRows, MemoryRows, Window
from conflicto.platform.http.messages import encode
from conflicto.platform.instants import US_PER_DAY, position, rfc3339
from conflicto.platform.problems import DomainError, Kind
from conflicto.responses.errors import ResponsesHidden
from conflicto.responses.schemas import response_out
from conflicto.session_state.views import View, can_read_responses
from conflicto.sessions.feed_gaps.store import read_gaps
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.feed.row_sources import RowSource
    from conflicto.feed.timestamps import Since
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse
    from conflicto.session_state.state import SessionState
    from conflicto.sessions.feed_gaps.store import Gap

MAX_PAGE_BYTES = MAX_PAGE_CHARS
"""Limit of the items of one page, in bytes of JSON; a single item may be larger."""


class CursorInFuture(DomainError):
    """A position more than a day ahead of the server has the wrong unit."""

    code = "cursor-in-future"
    title = "The position lies more than a day in the future"
    kind = Kind.MALFORMED


@dataclass(frozen=True, slots=True)
class Page:
    """One page: items (JSON) in feed order, their timestamps, its start and its cursor."""

    items: Sequence[Raw]
    timestamps: Sequence[int]
    since: int
    cursor: int
    has_more: bool
    closed: bool
    clamped: bool

    def encoded(self, epoch: str) -> bytes:
        """Return the body."""
        body = {
            "items": self.items,
            "since": position(self.since),
            "count": len(self.items),
            "cursor": position(self.cursor),
            "has_more": self.has_more,
            "epoch": epoch,
            "closed": self.closed and not self.has_more,
        }
        if self.clamped:
            body["clamped"] = True
        return encode(body)


def start_position(since: Since, newest: int, now_us: int) -> tuple[int, bool]:
    """Return the position to read after, and whether it was clamped to `head`.

    `head` is the newest change in the caller's view. A laptop's clock may run ahead, so the future
    is clamped. No row is lost, because the view has none in between.

    Raises:
        CursorInFuture: it is more than a day ahead.
    """
    if since.kind == "now":
        return newest, False
    if since.us > max(now_us, newest) + US_PER_DAY:
        raise CursorInFuture
    return (newest, True) if since.us > newest else (since.us, False)


def require_known_position(since: Since, gaps: Sequence[Gap], newest: int | None = None) -> None:
    """Refuse a position that this epoch of the database has not issued.

    `head` is the head of the session, where it is sure to be the newest. After a loss no position
    beyond the head is clamped, because the lost feed may have run ahead of the clock.

    Raises:
        CursorExpired: the position is, or may be, one that a restore took back.
    """
    if not gaps or since.kind != "position":
        return
    if any(gap.after < since.us < gap.until for gap in gaps) or (newest is not None and since.us > newest):
        raise CursorExpired(
            "The database lost what came then, in a restore or a failover. Forget what you know and begin again at 0."
        )


def build_page(
    found: Iterable[tuple[int, dict[str, Any]]], source: RowSource, window: Window, *, closed: bool, clamped: bool
) -> Page:
    """Build the page of `found`, pairs of timestamp and item in order.

    One item more than fits means that there is more.

    A page ends before the item that exceeds `MAX_PAGE_BYTES`, and where `source` truncated its
    rows.
    """
    items: list[Raw] = []
    timestamps: list[int] = []
    size, truncated_at_ts = 0, source.truncated_at_ts
    has_more = truncated_at_ts is not None
    for ts, item in found:
        if truncated_at_ts is not None and ts > truncated_at_ts:
            break
        encoded = encode(item)
        size += len(encoded)
        if len(items) == window.max_rows - 1 or (items and size > MAX_PAGE_BYTES):
            has_more = True
            break
        items.append(Raw(encoded))
        timestamps.append(ts)
    cursor = (timestamps or [truncated_at_ts or window.after])[-1] if has_more else max(window.after, window.through)
    return Page(items, timestamps, window.after, cursor, has_more, closed, clamped)


def require_responses(activity: Activity, view: View) -> None:
    """Refuse a view that must not read the responses.

    Raises:
        ResponsesHidden: `responses_visibility` does not open them to this role.
    """
    if not can_read_responses(activity, view):
        raise ResponsesHidden


def read_responses(tx: ReadTx, activity_id: UUID, view: View, since: Since, *, limit: int, now_us: int) -> Page:
    """Read one page of an activity's responses in a view.

    Raises:
        NotFound, ResponsesHidden: the activity is gone, or closed to the view.
        CursorInFuture: the position is more than a day ahead.
        CursorExpired: it lies beyond the head of a session that was restored.
    """
    activity = activity_by_id(tx, activity_id)
    require_responses(activity, view)
    head = read_head(tx, activity.session_id)
    newest = head.ts
    if view is View.PARTICIPANT:
        changed = [counts.visible_changed_ts for counts in counts_by_round(tx, activity_id).values()]
        newest = max([activity.created_ts, *changed])
    after, clamped = start_position(since, newest, now_us)
    if clamped:
        require_known_position(since, read_gaps(tx, activity.session_id), head.ts)
    window = Window(after, newest, limit + 1)
    return _response_page(DatabaseRows(tx, activity.session_id), activity, view, since, window, clamped=clamped)


def responses_in_memory(state: SessionState, activity: Activity, view: View, since: Since, newest: int, *, limit: int) -> Page:
    """Build one page of an activity's responses from memory, up to `newest`.

    The position must not be below the floor of the memory.
    """
    after = newest if since.kind == "now" else since.us
    return _response_page(MemoryRows(state), activity, view, since, Window(after, newest, limit + 1), clamped=False)


def _response_page(source: RowSource, activity: Activity, view: View, since: Since, window: Window, *, clamped: bool) -> Page:
    rows: Sequence[ParticipantResponse] = ()
    if window.after < window.through:
        rows = source.activity_responses(
            activity.id, window, live_only=since.kind == "beginning", visible_only=view is not View.HOST
        )
    for_others = view is not View.HOST
    anonymous = activity.anonymous
    found = (
        (each.ts, response_out(each, anonymous=anonymous, as_tombstone=for_others and not each.is_visible, for_others=for_others))
        for each in rows[: window.max_rows]
    )
    closed = source.session().status is SessionStatus.COMPLETED
    return build_page(found, source, window, closed=closed, clamped=clamped)


def change_item(entity: str, entity_id: object, revision: int, ts: int, data: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
    """Return a feed item with its timestamp. An item without data is a tombstone."""
    item = {
        "entity": entity,
        "id": entity_id,
        "revision": revision,
        "deleted": data is None,
        "updated_at": rfc3339(ts),
        "data": data,
    }
    return ts, item
