"""What one process counts, and how the page tells it."""

import pytest

from conflicto.platform.metrics import names
from conflicto.platform.metrics.counting import Metrics, Shown, Spread, outcome_of
from conflicto.platform.metrics.names import TABLE, Kind, Metric
from conflicto.platform.metrics.page import page
from conflicto.platform.metrics.process import memory_bytes, processor_s
from tests.support.scrape import Told, parse

STATUS = "/sessions/{session_id}/status"


def read(metrics: Metrics) -> Told:
    return parse(page(metrics.series()).decode())


def test_what_equals_a_bound_lies_below_it_and_what_is_beyond_all_is_counted_too() -> None:
    spread = Spread((1.0, 2.0))

    for value in (0.5, 1.0, 1.5, 2.0, 2.5):
        spread.note(value)

    assert (spread.buckets, spread.total) == ([2, 2, 1], 7.5)


def test_a_histogram_is_told_in_buckets_that_hold_the_smaller_ones() -> None:
    metrics = Metrics()
    for commands in (1, 2, 3, 600):
        metrics.spread(names.COMMIT_COMMANDS).note(commands)

    told = read(metrics)

    assert [told["conflicto_commit_commands_bucket", (end,)] for end in ("1.0", "2.0", "4.0", "512.0", "+Inf")] == [1, 2, 3, 3, 4]
    assert told["conflicto_commit_commands_count", ()] == 4
    assert told["conflicto_commit_commands_sum", ()] == 606


def test_ready_answers_and_those_of_the_whole_way_are_one_number_and_two_ways() -> None:
    metrics = Metrics()
    metrics.show({f"GET {STATUS}": Shown(names.POLLS, "session_status")})
    metrics.answered(STATUS, "GET", 200, 0.001)
    metrics.answered(STATUS, "GET", 503, 0.001)
    metrics.tally(STATUS).forms[:] = [5, 7]

    told = read(metrics)

    assert told["conflicto_requests_total", ("GET", STATUS, "200")] == 6
    assert told["conflicto_requests_total", ("GET", STATUS, "304")] == 7
    assert told["conflicto_polls_total", ("session_status", "accepted", "whole")] == 1
    assert told["conflicto_polls_total", ("session_status", "accepted", "ready")] == 5
    assert told["conflicto_polls_total", ("session_status", "unchanged", "ready")] == 7
    assert told["conflicto_polls_total", ("session_status", "failed", "whole")] == 1


def test_a_disguised_poll_counts_as_a_ready_304_and_is_timed_when_one_would_be() -> None:
    metrics = Metrics()
    tally = metrics.tally(STATUS)
    for _ in range(64):
        tally.count_disguised()
    first_s = tally.seconds.total
    tally.seconds.note(0.5)
    usual_s = tally.seconds.total / 2
    for _ in range(64):
        tally.count_disguised()
    drawn_s = tally.seconds.total - 0.5 - first_s

    told = read(metrics)
    assert told["conflicto_requests_total", ("GET", STATUS, "304")] == 128
    assert told["conflicto_ready_answer_seconds_count", (STATUS,)] == 3
    assert 0.000_005 <= first_s <= 0.000_015
    assert usual_s / 2 <= drawn_s <= usual_s * 1.5


def test_a_method_that_somebody_made_up_is_no_label() -> None:
    metrics = Metrics()

    for number in range(50):
        metrics.answered("unknown", f"BREW{number}", 404, 0.001)
        metrics.refused("unknown", f"BREW{number}", "not-found")

    told = read(metrics)
    assert told["conflicto_requests_total", ("other", "unknown", "404")] == 50
    assert told["conflicto_refusals_total", ("other", "unknown", "not-found")] == 50
    assert metrics._requests == {}


@pytest.mark.parametrize(
    ("status", "outcome"),
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
def test_every_status_has_an_outcome(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome


def test_a_counter_that_somebody_else_counts_is_told_once() -> None:
    metrics = Metrics()
    metrics.watch(names.PROCESSOR, processor_s)
    metrics.watch(names.MEMORY, memory_bytes)

    told = read(metrics)

    assert told["conflicto_cpu_seconds_total", ()] > 0
    assert 10_000_000 < told["conflicto_memory_bytes", ()] < 10_000_000_000
    assert page(metrics.series()).decode().count("\nconflicto_cpu_seconds_total ") == 1


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_names_say_what_they_are(metric: Metric) -> None:
    assert metric.name.startswith("conflicto_")
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert bool(metric.bounds) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.bounds) == sorted(set(metric.bounds))
    assert metric.meaning.endswith(".")


def test_no_name_is_given_twice() -> None:
    assert len({metric.name for metric in TABLE}) == len(TABLE)
