"""Sources of a session's rows: one snapshot of the database, or the memory of recent rows.

Both return the same rows for the same window. The database is read only below the floor of the
memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from conflicto.activities.model import MAX_ACTIVITIES_EVER
from conflicto.activities.queries import activities_changed, all_activities, with_contents
from conflicto.participants.queries import participant_by_id, participants_changed
from conflicto.platform.sizes import MIB
from conflicto.responses.queries import activity_feed, character_count, is_hidden_from_start, own_feed, session_feed
from conflicto.responses.recent_responses import RecentResponses
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from conflicto.activities.model import Activity, Content
    from conflicto.participants.model import Participant
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.responses.model import ParticipantResponse
    from conflicto.session_state.state import SessionState
    from conflicto.sessions.model import Session

MAX_PAGE_CHARS = MIB
"""Limit of a page: characters of responses that are read, and bytes that it contains."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows with timestamps in (after, through], the first `max_rows` of each kind."""

    after: int
    through: int
    max_rows: int


class RowSource(Protocol):
    """Rows of one session, each list in feed order."""

    def session(self) -> Session:
        """Return the session."""

    def activities(self) -> Mapping[UUID, Activity]:
        """Return all activities, deleted ones included."""

    def changed_activities(self, window: Window) -> Sequence[Activity]:
        """Return activities that changed, deleted ones included."""

    def with_configs(self, activities: Sequence[Activity]) -> Sequence[tuple[Activity, Content]]:
        """Pair activities with their JSON."""

    def participants(self, window: Window) -> Sequence[Participant]:
        """Return seats that changed, those that are gone included."""

    def participant(self, participant_id: int) -> Participant | None:
        """Return one seat, None if it did not change in any window that a page may cover."""

    def responses(self, window: Window, *, closed: Collection[UUID], visible_only: bool) -> Sequence[ParticipantResponse]:
        """Return all responses except those of `closed` activities.

        `visible_only` omits responses that the screen never showed.
        """

    def own_responses(self, participant_id: int, window: Window, *, closed: Collection[UUID]) -> Sequence[ParticipantResponse]:
        """Return one participant's answers without those of `closed` activities."""

    def activity_responses(
        self, activity_id: UUID, window: Window, *, live_only: bool, visible_only: bool
    ) -> Sequence[ParticipantResponse]:
        """Return the answers to one activity; `live_only` leaves tombstones out."""

    @property
    def truncated_at_ts(self) -> int | None:
        """Return the timestamp of the last response, if the page size truncated the rows."""


@dataclass(frozen=True, slots=True)
class DatabaseRows:
    """The database, in one snapshot."""

    tx: ReadTx
    session_id: int
    truncations: list[int] = field(default_factory=list)

    @property
    def truncated_at_ts(self) -> int | None:
        """Return where answers were cut short."""
        return min(self.truncations, default=None)

    def _note_truncation(self, rows: Sequence[ParticipantResponse], window: Window) -> Sequence[ParticipantResponse]:
        if len(rows) < window.max_rows and sum(map(character_count, rows)) > MAX_PAGE_CHARS:
            self.truncations.append(rows[-1].ts)
        return rows

    def session(self) -> Session:
        """Return the session; `NotFound` if it is gone."""
        return session_by_id(self.tx, self.session_id)

    def activities(self) -> Mapping[UUID, Activity]:
        """Return all activities."""
        return {activity.id: activity for activity in all_activities(self.tx, self.session_id)}

    def changed_activities(self, window: Window) -> Sequence[Activity]:
        """Return activities that changed."""
        return activities_changed(self.tx, self.session_id, after=window.after, through=window.through, limit=MAX_ACTIVITIES_EVER)

    def with_configs(self, activities: Sequence[Activity]) -> Sequence[tuple[Activity, Content]]:
        """Pair activities with their JSON."""
        return with_contents(self.tx, activities)

    def participants(self, window: Window) -> Sequence[Participant]:
        """Return seats that changed."""
        return participants_changed(self.tx, self.session_id, after=window.after, through=window.through, limit=window.max_rows)

    def participant(self, participant_id: int) -> Participant | None:
        """Return one seat; `NotFound` if it is gone."""
        return participant_by_id(self.tx, participant_id)

    def responses(self, window: Window, *, closed: Collection[UUID], visible_only: bool) -> Sequence[ParticipantResponse]:
        """Return everyone's answers."""
        found = session_feed(
            self.tx,
            self.session_id,
            after=window.after,
            through=window.through,
            limit=window.max_rows,
            excluded_activities=closed,
            visible_only=visible_only,
            max_characters=MAX_PAGE_CHARS,
        )
        return self._note_truncation(found, window)

    def own_responses(self, participant_id: int, window: Window, *, closed: Collection[UUID]) -> Sequence[ParticipantResponse]:
        """Return one participant's answers."""
        found = own_feed(
            self.tx,
            participant_id,
            after=window.after,
            through=window.through,
            limit=window.max_rows,
            excluded_activities=closed,
            max_characters=MAX_PAGE_CHARS,
        )
        return self._note_truncation(found, window)

    def activity_responses(
        self, activity_id: UUID, window: Window, *, live_only: bool, visible_only: bool
    ) -> Sequence[ParticipantResponse]:
        """Return the answers to one activity."""
        found = activity_feed(
            self.tx,
            activity_id,
            after=window.after,
            through=window.through,
            limit=window.max_rows,
            live_only=live_only,
            visible_only=visible_only,
            max_characters=MAX_PAGE_CHARS,
        )
        return self._note_truncation(found, window)


@dataclass(frozen=True, slots=True)
class MemoryRows:
    """Memory of a session, for windows above its floor and for seats newer than it.

    Only a seat's own window may start at the beginning, where deleted rows are omitted.
    """

    state: SessionState

    @staticmethod
    def floor(state: SessionState) -> int:
        """Return the position from which memory holds all rows that everybody may read."""
        return max(state.recent_seats.floor, state.parts[RecentResponses].rows.floor)

    @staticmethod
    def own_floor(state: SessionState, participant_id: int) -> int | None:
        """Return the position from which memory holds all rows of a participant, None if none."""
        recent = state.parts[RecentResponses]
        if not recent.has_all_of(participant_id):
            return None
        return max(state.recent_seats.floor, recent.rows.floor, recent.pooled.floor)

    @property
    def truncated_at_ts(self) -> None:
        """Return that nothing is cut short: all of it is in memory anyway."""
        return None

    def session(self) -> Session:
        """Return the session."""
        return self.state.session

    def activities(self) -> Mapping[UUID, Activity]:
        """Return all activities."""
        return self.state.activities

    def changed_activities(self, window: Window) -> Sequence[Activity]:
        """Return activities that changed."""
        changed = [each for each in self.state.activities.values() if window.after < each.updated_ts <= window.through]
        return sorted(changed, key=lambda activity: activity.updated_ts)

    def with_configs(self, activities: Sequence[Activity]) -> Sequence[tuple[Activity, Content]]:
        """Pair activities with their JSON, which must be cached already (`ConfigCache.missing`)."""
        return [(activity, self.state.configs.get_any_revision(activity)) for activity in activities]

    def participants(self, window: Window) -> Sequence[Participant]:
        """Return seats that changed."""
        return [seat for seat in self.state.recent_seats.after(window.after) if seat.updated_ts <= window.through]

    def participant(self, participant_id: int) -> Participant | None:
        """Return one seat, if it changed after the floor."""
        return self.state.recent_seats.get(participant_id)

    def responses(self, window: Window, *, closed: Collection[UUID], visible_only: bool) -> Sequence[ParticipantResponse]:
        """Return everyone's answers."""
        rows = self.state.parts[RecentResponses].rows.after(window.after)
        return [
            each
            for each in rows
            if each.ts <= window.through and each.activity_id not in closed and (each.was_visible or not visible_only)
        ]

    def own_responses(self, participant_id: int, window: Window, *, closed: Collection[UUID]) -> Sequence[ParticipantResponse]:
        """Return one participant's answers."""
        rows = self.state.parts[RecentResponses].own_responses(participant_id)
        found = [each for each in rows if window.after < each.ts <= window.through and each.activity_id not in closed]
        if window.after == 0:
            return [each for each in found if not is_hidden_from_start(each)]
        return found

    def activity_responses(
        self,
        activity_id: UUID,
        window: Window,
        *,
        live_only: bool,  # noqa: ARG002 - see the class
        visible_only: bool,
    ) -> Sequence[ParticipantResponse]:
        """Return the answers to one activity."""
        rows = self.state.parts[RecentResponses].rows.after(window.after)
        found = [each for each in rows if each.ts <= window.through and each.activity_id == activity_id]
        return [each for each in found if each.was_visible or not visible_only]
