"""Runs one group in one transaction: lock heads, read the clock, run, save heads, commit.

A failed group is replayed where that is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import structlog

from conflicto.platform.db.epochs import DatabaseReplaced, EpochChanged
from conflicto.platform.db.errors import (
    DATABASE_ERRORS,
    POSSIBLE_OUTAGES,
    is_bad_row,
    is_disconnect,
    is_outage,
    is_retryable,
    unavailable,
)
from conflicto.platform.db.transaction import PartiallyWritten, WriteTx
from conflicto.platform.problems import DomainError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.epochs import EpochGuard
    from conflicto.platform.db.fair_queue import Command
    from conflicto.platform.db.sequence import FeedHead, FeedHeadStore

Outcome = Any
"""A command's value, or the exception for its caller."""

MAX_ATTEMPTS = 3
"""Attempts to run a group after a lost connection, a deadlock, or a race for a unique key."""

_topics = attrgetter("topics")
_item = attrgetter("item")
_batch = attrgetter("batch")

log = structlog.get_logger(__name__)


class CommitUnknown(Exception):
    """The commit was sent and no reply came: the group is stored entirely or not at all."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The changes of a commit, for caches in memory: events in order, and the new heads.

    `commands` is the size of the group. `duration_s` runs from the connection to the durable
    commit. `private_commands` counts commands that only one person may learn of.
    """

    events: Sequence[object]
    heads: Mapping[int, FeedHead]
    commands: int = 1
    duration_s: float = 0.0
    private_commands: int = 0


class GroupRunner:
    """Runs groups on the writer's thread.

    It has the database, the head rows and the subscribers inside the transaction. Without
    `epoch_guard` the database counts as the one of the start.
    """

    def __init__(
        self,
        database: Database,
        heads: FeedHeadStore,
        clock: Clock,
        subscribers: Mapping[type, Sequence[Callable[[WriteTx, Any], None]]],
        epoch_guard: EpochGuard | None = None,
    ) -> None:
        self._database = database
        self._heads = heads
        self._clock = clock
        self._subscribers = subscribers
        self._epoch_guard = epoch_guard

    def run(self, group: list[Command]) -> Iterator[tuple[Sequence[Outcome], Committed | None, list[Command]]]:
        """Yield outcomes, the commit, and their commands: once, or once per replayed command."""
        try:
            yield *self._persist(group), group
        except DatabaseReplaced as replaced:
            yield from self._run_in_new_epoch(group, replaced.guard)
        except CommitUnknown as error:
            yield self._failed(group, unavailable(error))
        except DATABASE_ERRORS as error:
            log.warning("group-failed", commands=len(group), error=type(error).__name__)
            yield self._failed(group, unavailable(error))
        except Exception as error:  # noqa: BLE001 - the writer outlives every fault of a command
            if len(group) > 1:
                for command in group:
                    yield from self.run([command])
            else:
                yield self._failed(group, _to_domain_error(error))

    def _run_in_new_epoch(
        self, group: list[Command], guard: EpochGuard
    ) -> Iterator[tuple[Sequence[Outcome], Committed | None, list[Command]]]:
        """Announce a new epoch, and run a group in it."""
        try:
            guard.begin_epoch()
        except Exception as error:  # noqa: BLE001 - the next group tries again
            yield self._failed(group, unavailable(error))
        else:
            yield [], Committed([EpochChanged()], {}, 0), []
            yield from self.run(group)

    def _failed(self, group: list[Command], error: DomainError) -> tuple[Sequence[Outcome], None, list[Command]]:
        return [error] * len(group), None, group

    def _persist(self, group: list[Command]) -> tuple[Sequence[Outcome], Committed]:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._attempt(group)
            except PartiallyWritten as error:
                if len(group) == 1:
                    raise error.cause from None
                raise
            except Exception as error:
                self._database.note_damage(error)
                can_retry = is_disconnect(error) or is_retryable(error) or (is_bad_row(error) and len(group) == 1)
                if attempt == MAX_ATTEMPTS or not can_retry:
                    raise
        raise AssertionError

    def _attempt(self, group: list[Command]) -> tuple[Sequence[Outcome], Committed]:
        started_s = self._clock.monotonic_s()
        with self._database.slow_queries.defer() as reports, self._database.writer_connection() as connection:
            transaction = connection.begin()
            try:
                topics = sorted(set(chain.from_iterable(map(_topics, group))))
                heads = self._heads.lock(connection, topics) if topics else {}
                now_us = self._read_clock(connection, heads)  # after the locks are held
                tx = WriteTx(connection, now_us=now_us, heads=heads, subscribers=self._subscribers)
                outcomes = _run_in_order(tx, group)
                changed = {topic: head for topic, head in tx.heads.items() if head.changed}
                self._heads.save(tx, changed)
                reports.is_reported = not tx.private_commands
            except BaseException:
                transaction.rollback()
                raise
            try:
                transaction.commit()
            except POSSIBLE_OUTAGES as error:
                connection.invalidate()  # the pool would reuse it with an open transaction and SQLite's write lock
                raise CommitUnknown from error
            took_s = self._clock.monotonic_s() - started_s
        return outcomes, Committed(tx.events, changed, len(group), took_s, tx.private_commands)

    def _read_clock(self, connection: Connection, heads: Mapping[int, FeedHead]) -> int:
        guard = self._epoch_guard
        return guard.now_us(connection, heads) if guard else self._database.dialect.now_us(connection, self._clock)


def _to_domain_error(error: Exception) -> DomainError:
    """Return the error for the caller of a failed command.

    Domain errors pass as they are. A damaged page is the database's fault. Any other exception is
    an internal error, and the log gets its cause.
    """
    if isinstance(error, DomainError):
        return error
    if is_outage(error):
        return unavailable(error)
    log.error("command-failed", exc_info=error)
    return InternalError()


def _run_in_order(tx: WriteTx, group: list[Command]) -> list[Outcome]:
    """Run commands in order of arrival; neighbours with the same `batch` run together."""
    outcomes: list[Outcome] = []
    for batch, commands in groupby(group, key=_batch):
        outcomes.extend(batch(tx, list(map(_item, commands))))
    return outcomes
