"""Forwarding: which worker of a machine writes a session, and what becomes of a lost item.

The choice needs no agreement. It only saves waiting: whoever writes locks the session's head row
and checks the epoch. Two workers that choose differently for a moment take turns at the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from conflicto.platform.db.errors import unavailable
from conflicto.platform.db.group import CommitUnknown
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Hashable

    from conflicto.platform.db.batches import SharedBatch
    from conflicto.platform.db.writer import Writer

WORKERS_PER_WRITER = 4
"""Workers whose answers one of them writes. A group costs a dozen round trips and a flush of the
disk, whatever its size, so few large groups beat many small ones. Writing an answer takes a fifth
of what receiving it does."""


@dataclass(slots=True, eq=False)
class ForwardedItem:
    """An item that a peer writes.

    `is_repeatable`: a repeat is recognised by its key and gets the same outcome.
    """

    batch: SharedBatch
    topic: int
    item: Any
    keys: tuple[Hashable, ...]
    max_wait_s: float | None
    is_repeatable: bool
    future: asyncio.Future[Any]


def writer_of(topic: int, workers: Collection[int]) -> int:
    """Return the worker that writes a topic, given the workers' process ids.

    The oldest workers write: one of them for every `WORKERS_PER_WRITER`. Each topic ranks them by
    a hash, so a change of the workers moves few topics.

    >>> writer_of(7, [12, 10, 11]), writer_of(8, [10, 11, 12])
    (10, 10)
    """
    writers = sorted(workers)[: -(-len(workers) // WORKERS_PER_WRITER)]
    return max(writers, key=lambda pid: blake2b(b"%d %d" % (pid, topic), digest_size=8).digest())


def write_here(forwarded: ForwardedItem, writer: Writer, *, may_be_written: bool) -> None:
    """Write an item whose peer is gone.

    If the peer may have committed it, only an item with a key is repeated. The caller of any other
    learns that the outcome is unknown, as after a commit without a reply.
    """
    future = forwarded.future
    if future.done():
        return
    if may_be_written and not forwarded.is_repeatable:
        future.set_exception(unavailable(CommitUnknown("the worker that wrote it is gone")))
        return
    try:
        written = writer.enqueue(
            forwarded.topic, forwarded.batch.run, forwarded.item, forwarded.keys, max_wait_s=forwarded.max_wait_s
        )
    except DomainError as error:
        future.set_exception(error)
    else:
        written.add_done_callback(lambda done: _copy(done, future))


def _copy(done: asyncio.Future[Any], future: asyncio.Future[Any]) -> None:
    if future.done():
        return
    if (error := done.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(done.result())
