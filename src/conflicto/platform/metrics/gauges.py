"""Metrics that are read when `/metrics` is read: process, database connections and caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.process import cpu_seconds, parent_memory_bytes, resident_memory_bytes
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from conflicto.platform.cache_budget import Account, CacheBudget
    from conflicto.platform.db.engine import Database
    from conflicto.platform.metrics.registry import Metrics


def add_process_metrics(metrics: Metrics, *, workers: int) -> None:
    """Add memory and processor time, and with several workers the supervisor's memory."""
    metrics.set_function(definitions.MEMORY, resident_memory_bytes)
    metrics.set_function(definitions.CPU_SECONDS, cpu_seconds)
    if workers > 1:
        metrics.set_function(definitions.SUPERVISOR_MEMORY, parent_memory_bytes)


def add_storage_metrics(metrics: Metrics, db: Database, budget: CacheBudget) -> None:
    """Add connections and reads of the database, and every cache whose account exists now."""
    metrics.set_function(definitions.POOL_LIMIT, lambda: db.max_connections)
    metrics.set_function(definitions.POOL_USED, lambda: db.connections()[0])
    metrics.set_function(definitions.POOL_OPEN, lambda: db.connections()[1])
    metrics.set_function(definitions.READS_WAITING, lambda: len(db.reader_queue))
    metrics.set_function(definitions.READS_OVERDUE, lambda: db.stuck_reads)
    db.on_query = metrics.histogram(definitions.QUERY_SECONDS).observe
    counts = db.slow_queries.counts
    metrics.set_function(definitions.SLOW_QUERIES, lambda: counts["reader"], "reader")
    metrics.set_function(definitions.SLOW_QUERIES, lambda: counts["writer"], "writer")
    metrics.set_function(definitions.CACHE_LIMIT, lambda: budget.max_bytes)
    for account in budget.accounts:
        _add_cache_metrics(metrics, account)


def _add_cache_metrics(metrics: Metrics, account: Account) -> None:
    metrics.set_function(definitions.CACHE_BYTES, lambda: -(-account.bytes // MIB) * MIB, account.name)
    metrics.set_function(definitions.CACHE_EVICTIONS, lambda: account.evictions, account.name)
