"""Who comes next: one line for each session, all of which move on alike, so that a crowd in one waits behind itself alone.

Inside a line the order is that of arrival. Between lines there is none to keep: what two sessions do at the same time has no order that
anybody could see.
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

    `topics` are the heads to lock. No two commands of a group share one of `keys`. `batch` handles all its neighbours with the same
    `batch` in one go and returns one outcome for each item.
    """

    topics: tuple[int, ...]
    batch: Callable[[WriteTx, list[Any]], Sequence[Outcome]]
    item: Any
    keys: tuple[Hashable, ...]
    deadline_s: float
    future: asyncio.Future[Any]


@dataclass(slots=True)
class _SessionQueue:
    """Commands with the same topics. `held` are those whose key is in the group already: they come first in the next one."""

    waiting: deque[Command] = field(default_factory=deque)
    deferred: list[Command] = field(default_factory=list)

    def take(self, max_commands: int, taken_keys: set[Hashable]) -> list[Command]:
        """Take up to `most` commands none of whose keys are `taken`, and add theirs; those that came behind a held one wait with it."""
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
        """Put what was held back in front."""
        self.waiting.extendleft(reversed(self.deferred))
        self.deferred.clear()


class FairQueue:
    """The commands that wait, and the rule that picks the next group. For one thread."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, ...], _SessionQueue] = {}

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._lines)

    def add(self, command: Command) -> None:
        """Let a command stand at the end of its line."""
        line = self._lines.get(command.topics)
        if line is None:
            line = self._lines[command.topics] = _SessionQueue()
        line.waiting.append(command)

    def next_group(self, max_commands: int) -> list[Command]:
        """Take the largest possible group of up to `most`: as many of each line as of any other, and what is left over of the longest.

        Where there are more lines than places, those that come away empty are the first of the next group.
        """
        group: list[Command] = []
        taken: set[Hashable] = set()
        while len(group) < max_commands and (moving := [topics for topics, line in self._lines.items() if line.waiting]):
            share = max(1, (max_commands - len(group)) // len(moving))
            for topics in moving[: max_commands - len(group)]:
                line = self._lines[topics] = self._lines.pop(topics)  # to the end
                group += line.take(share, taken)
        for topics, line in list(self._lines.items()):
            line.requeue_deferred()
            if not line.waiting:
                del self._lines[topics]
        return group
