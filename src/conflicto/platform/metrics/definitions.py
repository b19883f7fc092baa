"""The table of all metrics: name, type, help text and labels.

Tests compare `docs/metrics.md`, the dashboard and the alert rules with this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class MetricType(StrEnum):
    """The type of a metric in Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class MultiprocessMode(StrEnum):
    """The merge of a gauge of several workers. Counters and histograms are always summed."""

    SUM = "sum"
    MAX = "maximum"
    MIN = "minimum"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table.

    `bounds` are the upper bounds of a histogram's buckets, in the unit of its name; `+Inf` is
    added. The name of a counter ends in `_total`.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    multiprocess_mode: MultiprocessMode = MultiprocessMode.SUM


REQUEST_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""From a poll that is answered from memory to the longest deadline."""

FAST_PATH_BOUNDS_S = (0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05)
"""From the time of one write to a time that delays every other connection."""

BODY_BOUNDS_BYTES = (64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0)
"""Up to the largest body that any route accepts."""

GROUP_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)

FAST, SLOW = "fast", "slow"
"""Values of the label `path` of `conflicto_polls_total`."""


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, MetricType.COUNTER, text, labels)


def _gauge(name: str, text: str, *labels: str, mode: MultiprocessMode = MultiprocessMode.SUM) -> Metric:
    return Metric(name, MetricType.GAUGE, text, labels, multiprocess_mode=mode)


def _histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name, MetricType.HISTOGRAM, text, labels, bounds)


BUILD_INFO: Final = _gauge(
    "conflicto_build_info",
    "Always 1; labelled with the version and the database.",
    "version",
    "database",
    mode=MultiprocessMode.MAX,
)
INTERPRETER_VULNERABILITIES: Final = _gauge(
    "conflicto_interpreter_vulnerabilities",
    "Known vulnerabilities of this Python, `guarded` or `exposed`; `conflicto doctor` names them.",
    "state", mode=MultiprocessMode.MAX,
)  # fmt: skip
WORKERS: Final = _gauge("conflicto_workers", "Worker processes whose numbers this page holds.")
UPTIME: Final = _gauge("conflicto_uptime_seconds", "Age of the youngest worker.", mode=MultiprocessMode.MIN)
MEMORY: Final = _gauge("process_resident_memory_bytes", "Resident memory of the workers.")
SUPERVISOR_MEMORY: Final = _gauge(
    "conflicto_supervisor_resident_memory_bytes",
    "Resident memory of the process that started the workers; absent with one worker.", mode=MultiprocessMode.MAX,
)  # fmt: skip
CPU_SECONDS: Final = _counter("process_cpu_seconds_total", "User and system processor time of the workers.")

REQUESTS: Final = _counter(
    "conflicto_requests_total", "Answered requests; those with anonymous answers are counted at their release.",
    "method", "route", "status",
)  # fmt: skip
REQUEST_SECONDS: Final = _histogram(
    "conflicto_request_seconds", "Time from a request to its response, without responses of the fast path.",
    REQUEST_BOUNDS_S, "method", "route",
)  # fmt: skip
FAST_PATH_SECONDS: Final = _histogram(
    "conflicto_fast_path_seconds", "Time to write a response of the fast path, sampled: one of 64 per route and status.",
    FAST_PATH_BOUNDS_S, "route",
)  # fmt: skip
PROBLEMS: Final = _counter(
    "conflicto_problems_total", "Responses that are problem documents, by the problem's code.", "method", "route", "code"
)
BODY_BYTES: Final = _histogram(
    "conflicto_request_body_bytes", "Size of JSON request bodies without white space.", BODY_BOUNDS_BYTES
)

POLLS: Final = _counter(
    "conflicto_polls_total",
    "Polls by route and outcome; `path` is `fast` for a cached response and `slow` for all others.",
    "kind", "outcome", "path",
)  # fmt: skip
RESPONSES: Final = _counter(
    "conflicto_responses_total", "Requests that submit or change answers; anonymous ones are counted at their release.",
    "action", "outcome",
)  # fmt: skip
ACTIVITIES: Final = _counter("conflicto_activities_total", "Requests of hosts about activities.", "action", "outcome")
LONG_POLLS: Final = _counter("conflicto_long_polls_total", "Long polls by how they ended.", "outcome")

CONNECTIONS: Final = _gauge("conflicto_connections", "Open connections.")
CONNECTIONS_EVICTED: Final = _counter(
    "conflicto_connections_evicted_total", "Connections without a valid token, closed to make room for others."
)
LONG_POLLS_WAITING: Final = _gauge("conflicto_long_polls_waiting", "Long polls that wait for a change.")
STREAMS: Final = _gauge("conflicto_streams", "Open event streams.")
LOOP_LAG: Final = _gauge("conflicto_event_loop_lag_seconds", "Average lag of the event loop.", mode=MultiprocessMode.MAX)
LOOP_LATE: Final = _histogram(
    "conflicto_event_loop_late_seconds", "Lag of the event loop, sampled ten times a second.", REQUEST_BOUNDS_S
)

COMMITS: Final = _counter("conflicto_commits_total", "Group commits.")
EVENTS: Final = _counter("conflicto_committed_events_total", "Changes in those commits.")
COMMIT_COMMANDS: Final = _histogram("conflicto_commit_commands", "Commands in one commit.", GROUP_BOUNDS)
COMMIT_SECONDS: Final = _histogram(
    "conflicto_commit_seconds", "Time from taking the writer's connection to the durable commit.", REQUEST_BOUNDS_S
)
QUEUE: Final = _gauge("conflicto_writer_queue", "Commands that wait for the writer or run.")
FEED_LAG: Final = _histogram(
    "conflicto_feed_lag_seconds", "Age of a change when it reached the memory that answers polls.", REQUEST_BOUNDS_S
)

QUERY_SECONDS: Final = _histogram(
    "conflicto_query_seconds", "Time of one database read, without the wait for a connection.", REQUEST_BOUNDS_S
)
SLOW_QUERIES: Final = _counter(
    "conflicto_db_slow_queries_total",
    "Statements of `CONFLICTO_SLOW_QUERY_MS` or longer, by the role of their connection; anonymous answers are left out.",
    "role",
)
POOL_LIMIT: Final = _gauge("conflicto_pool_limit", "Database connections that the workers may open.")
POOL_OPEN: Final = _gauge("conflicto_pool_open", "Open database connections.")
POOL_USED: Final = _gauge("conflicto_pool_used", "Database connections in use.")
READS_WAITING: Final = _gauge("conflicto_reads_waiting", "Reads that wait for a database connection.")
READS_OVERDUE: Final = _gauge(
    "conflicto_reads_overdue", "Reads that still run although their request has ended: stuck connections."
)

SESSIONS_CACHED: Final = _gauge("conflicto_sessions_cached", "Sessions in memory.")
CACHE_BYTES: Final = _gauge("conflicto_cache_bytes", "Estimated memory of a cache, rounded up to whole MiB.", "cache")
CACHE_LIMIT: Final = _gauge("conflicto_cache_limit_bytes", "Memory that all caches of the workers may use together.")
CACHE_EVICTIONS: Final = _counter("conflicto_cache_evictions_total", "Entries that a cache evicted to free memory.", "cache")
REDIS_UP: Final = _gauge(
    "conflicto_redis_up", "1 if Redis executes the commands of every worker, writes included; absent without Redis.",
    mode=MultiprocessMode.MIN,
)  # fmt: skip
REDIS_ERRORS: Final = _counter("conflicto_redis_errors_total", "Commands that Redis did not answer.")
PUBSUB_CONNECTED: Final = _gauge(
    "conflicto_pubsub_connected", "1 if every worker receives the doorbells of the others.", mode=MultiprocessMode.MIN
)

LIMIT_FALLBACKS: Final = _counter(
    "conflicto_limit_fallbacks_total", "Rate limit decisions that a worker made alone because Redis did not answer in time."
)

METRICS: Final = (
    BUILD_INFO, INTERPRETER_VULNERABILITIES, WORKERS, UPTIME, MEMORY, SUPERVISOR_MEMORY, CPU_SECONDS,
    REQUESTS, REQUEST_SECONDS, FAST_PATH_SECONDS, PROBLEMS, BODY_BYTES,
    POLLS, RESPONSES, ACTIVITIES, LONG_POLLS,
    CONNECTIONS, CONNECTIONS_EVICTED, LONG_POLLS_WAITING, STREAMS, LOOP_LAG, LOOP_LATE,
    COMMITS, EVENTS, COMMIT_COMMANDS, COMMIT_SECONDS, QUEUE, FEED_LAG,
    QUERY_SECONDS, SLOW_QUERIES, POOL_LIMIT, POOL_OPEN, POOL_USED, READS_WAITING, READS_OVERDUE, LIMIT_FALLBACKS,
    SESSIONS_CACHED, CACHE_BYTES, CACHE_LIMIT, CACHE_EVICTIONS, REDIS_UP, REDIS_ERRORS, PUBSUB_CONNECTED,
)  # fmt: skip
