"""Event bus of a process: handlers of events inside the transaction and after the commit.

A package declares its subscriptions beside its handlers. The composition root only lists them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conflicto.platform.db.group import Committed
    from conflicto.platform.db.transaction import WriteTx

Event = TypeVar("Event")


@dataclass(frozen=True, slots=True)
class RemoteCommits:
    """Commits of other processes in one session: their events, and the position (µs) they reach."""

    events: Sequence[object]
    position: int


class EventBus:
    """Handlers by type of event. Subscribe before the first commit.

    Handlers of one type run in the order of their subscriptions.
    """

    def __init__(self) -> None:
        self._in_transaction: dict[type, list[Callable[[WriteTx, Any], None]]] = defaultdict(list)
        self._after_commit: dict[type, list[Callable[[Any], None]]] = defaultdict(list)

    @property
    def in_transaction(self) -> Mapping[type, Sequence[Callable[[WriteTx, Any], None]]]:
        """The handlers that run in the writer's thread, in the transaction of the event."""
        return self._in_transaction

    def subscribe_in_transaction(self, event_type: type[Event], handler: Callable[[WriteTx, Event], None]) -> None:
        """Run a handler in the transaction of each event, as part of the same commit."""
        self._in_transaction[event_type].append(handler)

    def subscribe(self, event_type: type[Event], handler: Callable[[Event], None]) -> None:
        """Run a handler on the event loop after the commit of each event, in any process.

        `Committed` and `RemoteCommits` are events too, before those that they contain.
        """
        self._after_commit[event_type].append(handler)

    def publish(self, commit: Committed | RemoteCommits) -> None:
        """Run the handlers of a commit and of its events, in order, before callers get a result."""
        handlers = self._after_commit
        for event in (commit, *commit.events):
            event_type = type(event)
            if event_type in handlers:
                for handle in handlers[event_type]:
                    handle(event)
