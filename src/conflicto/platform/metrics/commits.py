"""What each commit is counted as, and how old a change is when the memory of the feed has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.instants import US_PER_S
from conflicto.platform.metrics import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.group import Committed
    from conflicto.platform.metrics.counting import Metrics


class Commits:
    """Counts on the event loop."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._clock = clock
        self._groups, self._changes = metrics.count(names.COMMITS), metrics.count(names.EVENTS)
        self._commands, self._seconds = metrics.spread(names.COMMIT_COMMANDS), metrics.spread(names.COMMIT_SECONDS)
        self._lag = metrics.spread(names.FEED_LAG)

    def count(self, committed: Committed) -> None:
        """Count a commit of this process, without what nobody but one person may be told of."""
        commands = committed.commands - committed.private_commands
        if committed.private_commands and commands <= 0:
            return
        self._groups.add()
        self._changes.add(sum(not is_unseen(event) for event in committed.events))
        self._commands.note(commands)
        self._seconds.note(committed.duration_s)
        for head in committed.heads.values():
            if head.ts > head.own_ts:
                self.followed(head.ts)

    def caught_up(self, events: Sequence[object], ts: int) -> None:
        """Count what other processes committed."""
        if not all(is_unseen(event) for event in events):
            self.followed(ts)

    def followed(self, ts: int) -> None:
        """Note that the memory of the feed has come to a timestamp; clocks that differ make no lag negative."""
        self._lag.note(max(0, self._clock.wall_us() - ts) / US_PER_S)


def is_unseen(event: object) -> bool:
    """Return whether nobody but one person may be told of an event."""
    return getattr(event, "is_unseen", False)
