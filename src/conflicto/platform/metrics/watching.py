"""Metrics of the database's readers and of the cache budget, read whenever the page is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.cache_budget import BYTES_PER_MB
from conflicto.platform.metrics import names
from conflicto.platform.metrics.process import memory_bytes, parent_memory_bytes, processor_s

if TYPE_CHECKING:
    from conflicto.platform.cache_budget import Account, CacheBudget
    from conflicto.platform.db.engine import Database
    from conflicto.platform.metrics.counting import Metrics


def watch_process(metrics: Metrics, *, workers: int) -> None:
    """Show memory and processor time of this process, and the memory of the supervisor where there are several workers."""
    metrics.watch(names.MEMORY, memory_bytes)
    metrics.watch(names.PROCESSOR, processor_s)
    if workers > 1:
        metrics.watch(names.SUPERVISOR_MEMORY, parent_memory_bytes)


def watch_storage(metrics: Metrics, db: Database, budget: CacheBudget) -> None:
    """Show the database's connections and reads, and every cache whose account was opened until now."""
    metrics.watch(names.POOL_LIMIT, lambda: db.max_connections)
    metrics.watch(names.POOL_USED, lambda: db.connections()[0])
    metrics.watch(names.POOL_OPEN, lambda: db.connections()[1])
    metrics.watch(names.READS_WAITING, lambda: len(db.reader_queue))
    metrics.watch(names.READS_OVERDUE, lambda: db.stuck_reads)
    db.on_query = metrics.spread(names.QUERY_SECONDS).note
    counts = db.slow_queries.counts
    metrics.watch(names.SLOW_QUERIES, lambda: counts["reader"], "reader")
    metrics.watch(names.SLOW_QUERIES, lambda: counts["writer"], "writer")
    metrics.watch(names.CACHE_LIMIT, lambda: budget.max_bytes)
    for account in budget.accounts:
        _watch(metrics, account)


def _watch(metrics: Metrics, account: Account) -> None:
    metrics.watch(names.CACHE_BYTES, lambda: -(-account.bytes // BYTES_PER_MB) * BYTES_PER_MB, account.name)
    metrics.watch(names.CACHE_EVICTIONS, lambda: account.evictions, account.name)
