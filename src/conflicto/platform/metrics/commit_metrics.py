"""Metrics of commits, and the age of changes when the session cache has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.db.group import Committed
from conflicto.platform.event_bus import RemoteCommits
from conflicto.platform.instants import US_PER_S
from conflicto.platform.metrics import definitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.event_bus import EventBus
    from conflicto.platform.metrics.registry import Metrics


class CommitMetrics:
    """Counters and histograms of commits. Used on the event loop only."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._clock = clock
        self._groups, self._changes = metrics.counter(definitions.COMMITS), metrics.counter(definitions.EVENTS)
        self._commands, self._seconds = (
            metrics.histogram(definitions.COMMIT_COMMANDS),
            metrics.histogram(definitions.COMMIT_SECONDS),
        )
        self._lag = metrics.histogram(definitions.FEED_LAG)

    def subscribe(self, bus: EventBus) -> None:
        """Count every commit, of this and of other processes."""
        bus.subscribe(Committed, self.count)
        bus.subscribe(RemoteCommits, self.count_remote)

    def count(self, committed: Committed) -> None:
        """Count a commit of this process, without commands that only their sender may know of."""
        commands = committed.commands - committed.private_commands
        if committed.private_commands and commands <= 0:
            return
        self._groups.inc()
        self._changes.inc(_count_seen(committed.events))
        self._commands.observe(commands)
        self._seconds.observe(committed.duration_s)
        for head in committed.heads.values():
            if head.ts > head.own_ts:
                self.observe_lag(head.ts)

    def count_remote(self, commits: RemoteCommits) -> None:
        """Observe the lag of changes that other processes committed."""
        if _count_seen(commits.events):
            self.observe_lag(commits.position)

    def observe_lag(self, ts: int) -> None:
        """Observe the age of a change of timestamp `ts` (µs); at least 0, because clocks differ."""
        self._lag.observe(max(0, self._clock.wall_us() - ts) / US_PER_S)


def _count_seen(events: Sequence[object]) -> int:
    """Return the number of events that are not for their sender alone."""
    seen = 0
    for event in events:
        seen += not getattr(event, "is_unseen", False)
    return seen
