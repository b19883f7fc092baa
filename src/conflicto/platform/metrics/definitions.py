"""The one table of what is counted: name, kind, meaning, labels. `docs/metrics.md`, dashboard and alert rules are held against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class MetricType(StrEnum):
    """What Prometheus calls it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class MultiprocessMode(StrEnum):
    """What a gauge of several workers says of all of them. Counters and histograms are always added."""

    SUM = "sum"
    MAX = "most"
    MIN = "least"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row. `bounds` are the upper ends of a histogram's buckets, in the unit of its name; values above the last are counted too.

    Counters carry `_total` in their name here as on the page.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    multiprocess_mode: MultiprocessMode = MultiprocessMode.SUM


REQUEST_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from a poll that is answered from memory to the longest deadline."""

FAST_PATH_BOUNDS_S = (0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05)
"""Seconds: from what one write takes to what would hold up everyone else."""

BODY_BOUNDS_BYTES = (64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0)
"""Bytes, up to the largest body that any route takes."""

GROUP_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, MetricType.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str, mode: MultiprocessMode = MultiprocessMode.SUM) -> Metric:
    return Metric(name, MetricType.GAUGE, meaning, labels, multiprocess_mode=mode)


def _histogram(name: str, meaning: str, bounds: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name, MetricType.HISTOGRAM, meaning, labels, bounds)


BUILD_INFO: Final = _gauge(
    "conflicto_info", "Always 1; the version and the database.", "version", "database", mode=MultiprocessMode.MAX
)
INTERPRETER_VULNERABILITIES: Final = _gauge(
    "conflicto_interpreter_faults", "Known faults of the Python that runs, by whether they are guarded; `conflicto doctor` names them.",
    "state", mode=MultiprocessMode.MAX,
)  # fmt: skip
WORKERS: Final = _gauge("conflicto_workers", "Worker processes whose numbers are in this page.")
UPTIME: Final = _gauge("conflicto_uptime_seconds", "Age of the youngest worker.", mode=MultiprocessMode.MIN)
MEMORY: Final = _gauge("conflicto_memory_bytes", "Resident memory.")
SUPERVISOR_MEMORY: Final = _gauge(
    "conflicto_supervisor_memory_bytes", "Resident memory of the process that started the workers; absent with one worker.",
    mode=MultiprocessMode.MAX,
)  # fmt: skip
CPU_SECONDS: Final = _counter("conflicto_cpu_seconds_total", "Processor time, of programs and system together.")

REQUESTS: Final = _counter(
    "conflicto_requests_total",
    "Answered requests; those that bring anonymous answers count with the release.",
    "method",
    "route",
    "status",
)
REQUEST_SECONDS: Final = _histogram(
    "conflicto_request_seconds",
    "Time from a request to its answer, without answers that lay ready.",
    REQUEST_BOUNDS_S,
    "method",
    "route",
)
FAST_PATH_SECONDS: Final = _histogram(
    "conflicto_ready_answer_seconds", "Time to write an answer that lay ready; one of 64 of each route and status is timed.",
    FAST_PATH_BOUNDS_S, "route",
)  # fmt: skip
PROBLEMS: Final = _counter(
    "conflicto_refusals_total", "Answers that were problem documents, by the problem's code.", "method", "route", "code"
)
BODY_BYTES: Final = _histogram("conflicto_body_bytes", "Size of JSON bodies that came in, white space left out.", BODY_BOUNDS_BYTES)

POLLS: Final = _counter(
    "conflicto_polls_total",
    "Polls by what they ask for and what came of it; `ready`: the answer lay ready, `whole`: it took the whole way.",
    "kind",
    "outcome",
    "way",
)
RESPONSES: Final = _counter(
    "conflicto_responses_total",
    "Responses that participants sent, by what came of it; anonymous ones count with the release.",
    "action",
    "outcome",
)
ACTIVITIES: Final = _counter(
    "conflicto_activities_total", "What hosts asked of activities, and what came of it.", "action", "outcome"
)
LONG_POLLS: Final = _counter("conflicto_long_polls_total", "Polls that were held back, by how they ended.", "outcome")

CONNECTIONS: Final = _gauge("conflicto_connections", "Open connections.")
CONNECTIONS_EVICTED: Final = _counter(
    "conflicto_connections_evicted_total", "Connections without a valid token that were closed because places ran short."
)
LONG_POLLS_WAITING: Final = _gauge("conflicto_waits", "Requests that are held back until there is news.")
STREAMS: Final = _gauge("conflicto_streams", "Open event streams.")
LOOP_LAG: Final = _gauge(
    "conflicto_event_loop_lag_seconds", "How late the event loop wakes, on average.", mode=MultiprocessMode.MAX
)
LOOP_LATE: Final = _histogram(
    "conflicto_event_loop_late_seconds", "How late the event loop woke, ten times a second.", REQUEST_BOUNDS_S
)

COMMITS: Final = _counter("conflicto_commits_total", "Groups that were committed.")
EVENTS: Final = _counter("conflicto_committed_events_total", "Changes inside those groups.")
COMMIT_COMMANDS: Final = _histogram("conflicto_commit_commands", "Commands in one group.", GROUP_BOUNDS)
COMMIT_SECONDS: Final = _histogram(
    "conflicto_commit_seconds", "Time from the writer's connection to the durable commit.", REQUEST_BOUNDS_S
)
QUEUE: Final = _gauge("conflicto_writer_queue", "Commands that wait for the writer, or run.")
FEED_LAG: Final = _histogram(
    "conflicto_feed_lag_seconds", "Age of a change when it reached the memory that polls are answered from.", REQUEST_BOUNDS_S
)

QUERY_SECONDS: Final = _histogram(
    "conflicto_query_seconds", "Time of one read of the database, without the wait for a reader.", REQUEST_BOUNDS_S
)
SLOW_QUERIES: Final = _counter(
    "conflicto_db_slow_queries_total",
    "Statements that took `CONFLICTO_SLOW_QUERY_MS` or longer, by what their connection is for; of anonymous answers none is told.",
    "role",
)
POOL_LIMIT: Final = _gauge("conflicto_pool_limit", "Database connections that the workers may open.")
POOL_OPEN: Final = _gauge("conflicto_pool_open", "Database connections that are open.")
POOL_USED: Final = _gauge("conflicto_pool_used", "Database connections that are at work.")
READS_WAITING: Final = _gauge("conflicto_reads_waiting", "Reads that wait for a reader to come free.")
READS_OVERDUE: Final = _gauge("conflicto_reads_overdue", "Reads that go on although nobody waits for them: readers that are stuck.")

SESSIONS_CACHED: Final = _gauge("conflicto_heads", "Sessions in memory.")
CACHE_BYTES: Final = _gauge("conflicto_cache_bytes", "Memory that a cache holds, as it is accounted for, in whole MiB.", "cache")
CACHE_LIMIT: Final = _gauge("conflicto_cache_limit_bytes", "Memory that all caches of the workers may hold together.")
CACHE_EVICTIONS: Final = _counter("conflicto_cache_evictions_total", "Entries that a cache dropped for want of memory.", "cache")
REDIS_UP: Final = _gauge(
    "conflicto_redis_up",
    "1 if Redis takes the commands of every worker, writes too; absent without one.",
    mode=MultiprocessMode.MIN,
)
REDIS_ERRORS: Final = _counter("conflicto_redis_faults_total", "Questions that Redis left unanswered.")
PUBSUB_CONNECTED: Final = _gauge(
    "conflicto_doorbells", "1 if every worker hears the doorbells of the others.", mode=MultiprocessMode.MIN
)

LIMIT_FALLBACKS: Final = _counter(
    "conflicto_limits_alone_total", "Requests whose limit Redis did not decide in time, so that this process did."
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
