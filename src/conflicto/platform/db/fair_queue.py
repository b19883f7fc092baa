"""Fair queue of commands: takes commands from each session in turn.

A crowd in one session delays only its own commands. Commands of one session keep their order of
arrival. Commands of different sessions have no order that anybody could observe.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Hashable, Sequence

    from conflicto.platform.db.group import Outcome
    from conflicto.platform.db.transaction import WriteTx


@dataclass(slots=True, eq=False)
class Command:
    """One change that waits for its group.

    `topics` are the feed heads to lock. Two commands of a group never share one of `keys`. `batch`
    handles all neighbouring commands with the same `batch` at once, and returns one outcome per
    item.
    """

    topics: tuple[int, ...]
    batch: Callable[[WriteTx, list[Any]], Sequence[Outcome]]
    item: Any
    keys: tuple[Hashable, ...]
    deadline_s: float
    future: asyncio.Future[Any]


@dataclass(slots=True)
class _SessionQueue:
    """Commands with the same topics.

    `deferred` holds commands whose key is already in the group. They come first in the next group.
    """

    waiting: deque[Command] = field(default_factory=deque)
    deferred: list[Command] = field(default_factory=list)

    def take(self, max_commands: int, taken_keys: set[Hashable]) -> list[Command]:
        """Take up to `max_commands` commands without a key in `taken_keys`, and add their keys.

        A command behind a deferred one with the same key is deferred too.
        """
        found: list[Command] = []
        while self.waiting and len(found) < max_commands:
            command = self.waiting.popleft()
            if command.keys and not taken_keys.isdisjoint(command.keys):
                self.deferred.append(command)
            else:
                found.append(command)
            taken_keys.update(command.keys)
        return found

    def requeue_deferred(self) -> None:
        """Put the deferred commands back in front."""
        self.waiting.extendleft(reversed(self.deferred))
        self.deferred.clear()


class FairQueue:
    """Waiting commands, and the rule that picks the next group. For one thread."""

    def __init__(self) -> None:
        self._queues: dict[tuple[int, ...], _SessionQueue] = {}

    def __bool__(self) -> bool:
        """Return whether any command waits."""
        return bool(self._queues)

    def add(self, command: Command) -> None:
        """Append a command to the queue of its session."""
        session_queue = self._queues.get(command.topics)
        if session_queue is None:
            session_queue = self._queues[command.topics] = _SessionQueue()
        session_queue.waiting.append(command)

    def next_group(self, max_commands: int) -> list[Command]:
        """Take up to `max_commands` commands, in equal shares.

        Spare places go to the longest queue. With more sessions than places, sessions that get none
        come first in the next group.
        """
        group: list[Command] = []
        taken_keys: set[Hashable] = set()
        while len(group) < max_commands and (
            topics_waiting := [topics for topics, session_queue in self._queues.items() if session_queue.waiting]
        ):
            share = max(1, (max_commands - len(group)) // len(topics_waiting))
            for topics in topics_waiting[: max_commands - len(group)]:
                session_queue = self._queues[topics] = self._queues.pop(topics)  # to the end
                group += session_queue.take(share, taken_keys)
        for topics, session_queue in list(self._queues.items()):
            if session_queue.deferred:
                session_queue.requeue_deferred()
            if not session_queue.waiting:
                del self._queues[topics]
        return group
