"""The feed of a whole session: its own changes, its activities', its participants' and their answers', as each role may see them."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from conflicto.activities.queries import activities_changed, all_activities, with_contents
from conflicto.activities.schemas import activity_out
from conflicto.feed.pages import Page, change_item, made_page, start_of
from conflicto.feed.views import View, shows_responses, view_of
from conflicto.participants.queries import participant_by_id, participants_changed
from conflicto.participants.schemas import participant_out
from conflicto.responses.model import Moderation
from conflicto.responses.queries import own_feed, own_head, session_feed
from conflicto.responses.schemas import response_out
from conflicto.sessions.heads import head_row
from conflicto.sessions.model import SessionStatus
from conflicto.sessions.queries import session_by_id
from conflicto.sessions.schemas import session_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conflicto.access.roles import Caller
    from conflicto.activities.model import Activity
    from conflicto.feed.timestamps import Since
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import Response

Item = tuple[int, dict[str, Any]]

MOST_ACTIVITIES_EVER = 100_000
"""Deleted ones included; the living among them are at most 500."""


class _Reading:
    """One reading of (after, upto] for one caller; each method returns the items of one entity, in order."""

    def __init__(self, tx: ReadTx, session_id: int, caller: Caller, *, after: int, upto: int, most: int) -> None:
        self.tx, self.session_id, self.caller, self.view = tx, session_id, caller, view_of(caller)
        self.after, self.upto, self.most = after, upto, most
        self.activities = {activity.id: activity for activity in all_activities(tx, session_id)}

    def session(self) -> Iterator[Item]:
        session = session_by_id(self.tx, self.session_id)
        if self.after < session.updated_ts <= self.upto:
            data = session_out(session, for_participant=self.view is View.PARTICIPANT)
            yield change_item("session", session.id, session.revision, session.updated_ts, data)

    def changed_activities(self) -> Iterator[Item]:
        host = self.view is View.HOST
        changed = activities_changed(self.tx, self.session_id, after=self.after, upto=self.upto, most=MOST_ACTIVITIES_EVER)
        told = [activity for activity in changed if self._tells(activity)]
        for activity, content in with_contents(self.tx, told[: self.most]):
            seen = not activity.deleted and (host or activity.is_visible)
            data = activity_out(activity, content, for_host=host) if seen else None
            yield change_item("activity", activity.id, activity.revision, activity.updated_ts, data)

    def _tells(self, activity: Activity) -> bool:
        """Whether the view learns of the activity: never of what it could not see at any time, nor of the dead at the beginning."""
        if self.view is View.HOST:
            return self.after > 0 or not activity.deleted
        return activity.is_visible or (self.after > 0 and activity.published_ts is not None)

    def people(self) -> Iterator[Item]:
        if self.view is View.HOST:
            found = participants_changed(self.tx, self.session_id, after=self.after, upto=self.upto, most=self.most)
        elif self.caller.participant_id is not None:
            me = participant_by_id(self.tx, self.caller.participant_id)
            found = [me] if self.after < me.updated_ts <= self.upto else []
        else:
            found = []
        for participant in found:
            data = None if participant.deleted else participant_out(participant)
            yield change_item("participant", participant.id, participant.revision, participant.updated_ts, data)

    def answers(self) -> Iterator[Item]:
        for response in self._rows():
            activity = self.activities[response.activity_id]
            mine = self.view is View.PARTICIPANT
            gone = response.moderation is Moderation.HIDDEN if mine else not response.is_visible
            buried = response.deleted or (self.view is not View.HOST and gone)
            data = None if buried else response_out(response, anonymous=activity.anonymous and not mine)
            yield change_item("response", response.id, response.revision, response.ts, data)

    def _rows(self) -> list[Response]:
        window = {"after": self.after, "upto": self.upto, "most": self.most}
        if self.caller.participant_id is not None:
            unknown = [each.id for each in self.activities.values() if not each.is_visible]
            return own_feed(self.tx, self.caller.participant_id, **window, closed=unknown)
        closed = [each.id for each in self.activities.values() if each.deleted or not shows_responses(each, self.view)]
        return session_feed(self.tx, self.session_id, **window, closed=closed, visible_only=self.view is View.SCREEN)


def read_changes(tx: ReadTx, session_id: int, caller: Caller, since: Since, *, limit: int, now_us: int) -> tuple[Page, int]:
    """Read one page of a session's feed and return it with the newest change of the caller's own rows (0 for hosts and screens).

    Raises:
        NotFound: the session is gone.
        CursorInFuture: the position is more than a day ahead.
    """
    row = head_row(tx, session_id)
    session = session_by_id(tx, session_id)
    head, own = row.ts, 0
    if caller.participant_id is not None:
        own = max(own_head(tx, caller.participant_id), participant_by_id(tx, caller.participant_id).updated_ts)
        head = max(row.ctl, own)
    after, clamped = start_of(since, head, now_us)
    reading = _Reading(tx, session_id, caller, after=after, upto=head, most=limit + 1)
    parts = (reading.session(), reading.changed_activities(), reading.people(), reading.answers())
    found = list(islice(merge(*parts, key=lambda item: item[0]), limit + 1))
    closed = session.status is SessionStatus.COMPLETED
    return made_page(found, since=after, head=head, limit=limit, closed=closed, clamped=clamped), own
