"""Counters and histograms of one process and their exposition."""

import pytest

from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.definitions import METRICS, Metric, MetricType
from conflicto.platform.metrics.exposition import exposition
from conflicto.platform.metrics.process import cpu_seconds, resident_memory_bytes
from conflicto.platform.metrics.registry import Histogram, Metrics, RouteMetric, outcome
from tests.support.scrape import Samples, parse

STATUS = "/sessions/{session_id}/status"


def read(metrics: Metrics) -> Samples:
    return parse(exposition(metrics.collect()).decode())


def test_a_value_equal_to_a_bound_is_in_its_bucket_and_larger_values_are_counted() -> None:
    spread = Histogram((1.0, 2.0))

    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        spread.observe(value)

    assert (spread.buckets, spread.sum) == ([2, 2, 1], 7.5)


def test_buckets_are_cumulative_on_the_page() -> None:
    metrics = Metrics()
    for commands in (1, 2, 3, 600):
        metrics.histogram(definitions.COMMIT_COMMANDS).observe(commands)

    samples = read(metrics)

    assert [samples["conflicto_commit_commands_bucket", (end,)] for end in ("1.0", "2.0", "4.0", "512.0", "+Inf")] == [
        1,
        2,
        3,
        3,
        4,
    ]
    assert samples["conflicto_commit_commands_count", ()] == 4
    assert samples["conflicto_commit_commands_sum", ()] == 606


def test_fast_and_slow_responses_are_one_count_and_two_paths() -> None:
    metrics = Metrics()
    metrics.set_route_metrics({f"GET {STATUS}": RouteMetric(definitions.POLLS, "session_status")})
    metrics.count_response(STATUS, "GET", 200, 0.001)
    metrics.count_response(STATUS, "GET", 503, 0.001)
    metrics.fast_path(STATUS).counts[:] = [5, 7]

    samples = read(metrics)

    assert samples["conflicto_requests_total", ("GET", STATUS, "200")] == 6
    assert samples["conflicto_requests_total", ("GET", STATUS, "304")] == 7
    assert samples["conflicto_polls_total", ("session_status", "accepted", "slow")] == 1
    assert samples["conflicto_polls_total", ("session_status", "accepted", "fast")] == 5
    assert samples["conflicto_polls_total", ("session_status", "unchanged", "fast")] == 7
    assert samples["conflicto_polls_total", ("session_status", "failed", "slow")] == 1


def test_a_poll_with_own_changes_counts_and_is_timed_as_a_fast_304() -> None:
    metrics = Metrics()
    tally = metrics.fast_path(STATUS)
    for _ in range(64):
        tally.count_as_not_modified()
    first_s = tally.seconds.sum
    tally.seconds.observe(0.5)
    usual_s = tally.seconds.sum / 2
    for _ in range(64):
        tally.count_as_not_modified()
    drawn_s = tally.seconds.sum - 0.5 - first_s

    samples = read(metrics)
    assert samples["conflicto_requests_total", ("GET", STATUS, "304")] == 128
    assert samples["conflicto_fast_path_seconds_count", (STATUS,)] == 3
    assert 0.000_005 <= first_s <= 0.000_015
    assert usual_s / 2 <= drawn_s <= usual_s * 1.5


def test_an_unknown_method_is_no_label() -> None:
    metrics = Metrics()

    for number in range(50):
        metrics.count_response("unknown", f"BREW{number}", 404, 0.001)
        metrics.count_problem("unknown", f"BREW{number}", "not-found")

    samples = read(metrics)
    assert samples["conflicto_requests_total", ("other", "unknown", "404")] == 50
    assert samples["conflicto_problems_total", ("other", "unknown", "not-found")] == 50
    assert metrics._requests == {}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "accepted"),
        (201, "accepted"),
        (304, "unchanged"),
        (403, "refused"),
        (429, "limited"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_every_status_has_an_outcome(status: int, expected: str) -> None:
    assert outcome(status) == expected


def test_a_counter_with_a_function_is_exposed_once() -> None:
    metrics = Metrics()
    metrics.set_function(definitions.CPU_SECONDS, cpu_seconds)
    metrics.set_function(definitions.MEMORY, resident_memory_bytes)

    samples = read(metrics)

    assert samples["process_cpu_seconds_total", ()] > 0
    assert 10_000_000 < samples["process_resident_memory_bytes", ()] < 10_000_000_000
    assert exposition(metrics.collect()).decode().count("\nprocess_cpu_seconds_total ") == 1


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Metric) -> None:
    assert metric.name.startswith(("conflicto_", "process_"))
    assert metric.name.endswith("_total") == (metric.type is MetricType.COUNTER)
    assert bool(metric.bounds) == (metric.type is MetricType.HISTOGRAM)
    assert list(metric.bounds) == sorted(set(metric.bounds))
    assert metric.help.endswith(".")


def test_names_are_unique() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
