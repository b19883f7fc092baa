"""The feed of a whole session, as each role may see it.

It holds changes of the session, its activities, its participants and their responses.
"""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Any

from conflicto.activities.queries import MAX_CONTENTS_PER_QUERY
from conflicto.activities.schemas import activity_out
from conflicto.feed.pages import Page, build_page, change_item, require_known_position, start_position
from conflicto.feed.row_sources import DatabaseRows, MemoryRows, Window
from conflicto.participants.queries import participant_by_id
from conflicto.participants.schemas import participant_out
from conflicto.responses.model import Moderation
from conflicto.responses.queries import own_head
from conflicto.responses.schemas import response_out
from conflicto.session_state.views import View, can_read_responses, view_of
from conflicto.sessions.feed_gaps.store import read_gaps
from conflicto.sessions.feed_heads.store import read_head
from conflicto.sessions.model import SessionStatus
from conflicto.sessions.schemas import session_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conflicto.access.link_keys import LinkKeys
    from conflicto.access.roles import Caller
    from conflicto.activities.model import Activity, Content
    from conflicto.feed.row_sources import RowSource
    from conflicto.feed.timestamps import Since
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse
    from conflicto.session_state.state import SessionState

Item = tuple[int, dict[str, Any]]


class _PageReader:
    """Reader of one window for one caller; each method yields the items of one entity, in order."""

    def __init__(self, source: RowSource, caller: Caller, window: Window, link_keys: LinkKeys) -> None:
        self.source, self.caller, self.window, self.link_keys = source, caller, window, link_keys
        self.view = view_of(caller)

    def session(self) -> Iterator[Item]:
        session = self.source.session()
        if self.window.after < session.updated_ts <= self.window.through:
            data = session_out(session, self.caller.role, self.link_keys)
            yield change_item("session", session.id, session.revision, session.updated_ts, data)

    def changed_activities(self) -> Iterator[Item]:
        host = self.view is View.HOST
        visible = visible_changed_activities(self.source, self.view, self.window)
        for activity, content in self._with_configs(visible):
            seen = not activity.deleted and (host or activity.is_visible)
            data = activity_out(activity, content, for_host=host) if seen else None
            yield change_item("activity", activity.id, activity.revision, activity.updated_ts, data)

    def _with_configs(self, visible: Sequence[Activity]) -> Iterator[tuple[Activity, Content]]:
        """Pair activities with their JSON, in batches, because a page may end early."""
        for start in range(0, len(visible), MAX_CONTENTS_PER_QUERY):
            yield from self.source.with_configs(visible[start : start + MAX_CONTENTS_PER_QUERY])

    def participants(self) -> Iterator[Item]:
        if self.view is View.HOST:
            found = self.source.participants(self.window)
        elif self.caller.participant_id is not None:
            own_seat = self.source.participant(self.caller.participant_id)
            found = [own_seat] if own_seat is not None and self.window.after < own_seat.updated_ts <= self.window.through else []
        else:
            found = []
        for participant in found:
            data = None if participant.deleted else participant_out(participant)
            yield change_item("participant", participant.id, participant.revision, participant.updated_ts, data)

    def responses(self, rows: Sequence[ParticipantResponse]) -> Iterator[Item]:
        activities = self.source.activities()
        for response in rows:
            activity = activities[response.activity_id]
            is_own_feed = self.view is View.PARTICIPANT
            is_hidden = response.moderation is Moderation.HIDDEN if is_own_feed else not response.is_visible
            is_tombstone = response.deleted or (self.view is not View.HOST and is_hidden)
            for_others = self.view is View.SCREEN
            data = (
                None
                if is_tombstone
                else response_out(response, anonymous=activity.anonymous and not is_own_feed, for_others=for_others)
            )
            yield change_item("response", response.id, response.revision, response.ts, data)

    def response_rows(self) -> Sequence[ParticipantResponse]:
        activities = self.source.activities().values()
        if self.caller.participant_id is not None:
            invisible = {each.id for each in activities if not each.is_visible}
            return self.source.own_responses(self.caller.participant_id, self.window, closed=invisible)
        closed = {each.id for each in activities if each.deleted or not can_read_responses(each, self.view)}
        return self.source.responses(self.window, closed=closed, visible_only=self.view is View.SCREEN)


def visible_changed_activities(source: RowSource, view: View, window: Window) -> Sequence[Activity]:
    """Return the changed activities that a view may see, at most `window.max_rows`.

    The page needs the JSON of these.
    """
    changed = source.changed_activities(window) if window.after < window.through else ()
    return [activity for activity in changed if _is_in_feed(activity, view, window.after)][: window.max_rows]


def _is_in_feed(activity: Activity, view: View, after: int) -> bool:
    """Return whether the feed of a view contains the activity.

    It omits activities that the view could never see, and deleted ones at the beginning.
    """
    if view is View.HOST:
        return after > 0 or not activity.deleted
    return activity.is_visible or (after > 0 and activity.published_ts is not None)


def read_changes(
    tx: ReadTx, session_id: int, caller: Caller, since: Since, link_keys: LinkKeys, *, limit: int, now_us: int
) -> tuple[Page, int]:
    """Read one page of a session's feed.

    Returns it with the newest change of the caller's own rows, 0 for hosts and screens.

    Raises:
        NotFound: the session is gone.
        CursorInFuture: the position is more than a day ahead.
        CursorExpired: it lies beyond the head of a session that was restored.
    """
    head = read_head(tx, session_id)
    source = DatabaseRows(tx, session_id)
    newest, newest_own = head.ts, 0
    if caller.participant_id is not None:
        newest_own = max(own_head(tx, caller.participant_id), participant_by_id(tx, caller.participant_id).updated_ts)
        newest = max(head.control_ts, newest_own)
    after, clamped = start_position(since, newest, now_us)
    if clamped:
        require_known_position(since, read_gaps(tx, session_id), head.ts)
    return _page(source, caller, Window(after, newest, limit + 1), link_keys, clamped=clamped), newest_own


def changes_in_memory(state: SessionState, caller: Caller, window: Window, link_keys: LinkKeys) -> Page:
    """Build one page of a session's feed from memory.

    The window must not begin below the floor of the memory.
    """
    return _page(MemoryRows(state), caller, window, link_keys, clamped=False)


def _page(source: RowSource, caller: Caller, window: Window, link_keys: LinkKeys, *, clamped: bool) -> Page:
    reading = _PageReader(source, caller, window, link_keys)
    closed = source.session().status is SessionStatus.COMPLETED
    found: Iterable[Item] = ()
    if window.after < window.through:
        parts = (
            reading.session(),
            reading.changed_activities(),
            reading.participants(),
            reading.responses(reading.response_rows()),
        )
        found = merge(*parts, key=lambda item: item[0])
    return build_page(found, source, window, closed=closed, clamped=clamped)
