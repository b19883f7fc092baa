"""Presence of participants: held in memory, stored in batches, and not part of the feed.

A state is computed up to an instant. While an anonymous round is open in the session, that instant
is the newest tick of a fixed minute. Readers of states cannot infer when a participant acted.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from conflicto.platform.generations import MAX_DROPPED
from conflicto.platform.instants import US_PER_S

if TYPE_CHECKING:
    from conflicto.access.roles import Caller
    from conflicto.participants.model import Participant
    from conflicto.platform.clock import Clock
    from conflicto.session_state.session_cache import SessionCache

ONLINE_S = 30
IDLE_S = 120
"""Silence limits: a phone polls every 2 s, so 15 missed polls are a dead spot, 60 a pocket."""

TICK_US = 60 * US_PER_S
"""Length of a published minute."""

SETTLE_US = 15 * US_PER_S
"""Delay of a minute's publication, by which every worker has stored its times of that minute."""

MAX_MINUTES = 3
"""Newest times per participant, one per minute: the third lies before any published tick."""

MAX_AGE_US = 300 * US_PER_S
"""Age from which times are dropped once they are stored: silence that long is a disconnection."""

MAX_PARTICIPANTS = 200_000
"""Participants in memory, about 250 bytes each; the oldest are dropped after their last batch."""


class Presence:
    """Signs of life that one process received. Not thread-safe: use it from the event loop only."""

    def __init__(self, clock: Clock, sessions: SessionCache) -> None:
        self._clock = clock
        self._sessions = sessions
        self._times: dict[int, tuple[int, ...]] = {}
        self._unsaved: dict[int, int] = {}

    def record_caller(self, caller: Caller) -> None:
        """Record a sign of life of a caller who is a participant."""
        if caller.participant_id is not None and caller.session_id is not None:
            self.record(caller.session_id, caller.participant_id)

    def record(self, session_id: int, participant_id: int) -> None:
        """Record a sign of life: any request of a participant except those that send an answer."""
        now = self._clock.wall_us()
        times = self._times.get(participant_id, ())
        same_minute = bool(times) and times[0] // TICK_US == now // TICK_US
        self._times[participant_id] = (now, *times[same_minute:])[:MAX_MINUTES]
        self._unsaved[participant_id] = session_id

    def pop_unsaved(self) -> dict[int, int]:
        """Return the times to store since the last call (participant id → wall µs).

        Signs after the published instant stay for the next call.
        """
        pending, self._unsaved = self._unsaved, {}
        published = {session_id: self.published_us(session_id) for session_id in set(pending.values())}
        due = {}
        for participant_id, session_id in pending.items():
            times = self._times[participant_id]
            newest = _newest(times, published[session_id])
            if newest:
                due[participant_id] = newest
            if newest < times[0]:
                self._unsaved[participant_id] = session_id
        self._drop_old()
        return due

    def published_us(self, session_id: int) -> int:
        """Return the instant up to which states are published.

        It is now, or the end of the newest settled minute.
        """
        now = self._clock.wall_us()
        return (now - SETTLE_US) // TICK_US * TICK_US - 1 if self._sessions.may_be_anonymous(session_id) else now

    def state(self, participant: Participant, published_us: int) -> str:
        """Return `online`, `idle` or `disconnected` at an instant.

        The limits are 30 s and 2 min of silence. Joins are visible at once. A stored sign newer
        than the instant predates the round.
        """
        if participant.created_ts > published_us:
            return "online"
        stored_us = min(participant.last_seen_us, published_us)
        seen_us = max(_newest(self._times.get(participant.id, ()), published_us), stored_us)
        silence_s = (published_us - seen_us) / US_PER_S
        if silence_s < ONLINE_S:
            return "online"
        return "idle" if silence_s < IDLE_S else "disconnected"

    def _drop_old(self) -> None:
        """Drop times that are stored and change no state any more, among the next ones in turn."""
        oldest_us = self._clock.wall_us() - MAX_AGE_US
        for participant_id in list(islice(self._times, MAX_DROPPED)):
            times = self._times.pop(participant_id)
            if times[0] > oldest_us or participant_id in self._unsaved:
                self._times[participant_id] = times
        if len(self._times) > MAX_PARTICIPANTS:
            newest = sorted(self._times.items(), key=lambda item: item[1])[-MAX_PARTICIPANTS // 2 :]
            self._times = dict(newest)
            self._unsaved = {each: session_id for each, session_id in self._unsaved.items() if each in self._times}


def _newest(times: tuple[int, ...], through_us: int) -> int:
    """Return the newest sign up to an instant, 0 if there is none."""
    return next((time_us for time_us in times if time_us <= through_us), 0)
