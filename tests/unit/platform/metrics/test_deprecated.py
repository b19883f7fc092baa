"""Old names of metrics, beside the new ones: equal values and no additional series."""

from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.definitions import METRICS, MetricType
from conflicto.platform.metrics.deprecated import OLD_LABELS, OLD_NAMES
from conflicto.platform.metrics.exposition import exposition
from conflicto.platform.metrics.multiprocess import MultiprocessMetrics
from conflicto.platform.metrics.registry import Metrics, RouteMetric, Series

STATUS = "/sessions/{session_id}/status"


def _samples(metrics: Metrics) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return the value of each sample by its name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(exposition(metrics.collect()).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def _metrics_with_every_renamed_one() -> Metrics:
    metrics = Metrics()
    for number, metric in enumerate(OLD_NAMES.values(), 1):
        labels = [f"{label}-{number}" for label in metric.labels]
        if metric.type is MetricType.HISTOGRAM:
            metrics.histogram(metric, *labels).observe(number)
        elif metric.type is MetricType.COUNTER:
            metrics.counter(metric, *labels).inc(number)
        else:
            metrics.set_function(metric, lambda number=number: number, *labels)
    return metrics


def test_every_old_name_repeats_the_series_of_its_new_name_and_no_others() -> None:
    samples = _samples(_metrics_with_every_renamed_one())

    for old, metric in OLD_NAMES.items():
        suffixes = ("_bucket", "_sum", "_count") if metric.type is MetricType.HISTOGRAM else ("",)
        for suffix in suffixes:
            assert samples[old + suffix] == samples[metric.name + suffix] != {}, old


def test_no_old_name_is_the_name_of_another_metric() -> None:
    assert not OLD_NAMES.keys() & {metric.name for metric in METRICS}
    assert {*OLD_NAMES.values()} <= {*METRICS}
    assert len({*OLD_NAMES.values()}) == len(OLD_NAMES)


def test_an_old_label_stands_beside_the_new_one_in_the_same_series() -> None:
    metrics = Metrics()
    metrics.set_route_metrics({f"GET {STATUS}": RouteMetric(definitions.POLLS, "session_status")})
    metrics.count_response(STATUS, "GET", 200, 0.001)
    metrics.fast_path(STATUS).counts[:] = [5, 0]

    polls = [dict(labels) | {"value": value} for labels, value in _samples(metrics)["conflicto_polls_total"].items() if value]

    common = {"kind": "session_status", "outcome": "accepted"}
    assert {"path": "slow", "way": "whole", "value": 1, **common} in polls
    assert {"path": "fast", "way": "ready", "value": 5, **common} in polls
    assert len(polls) == 2
    assert set(OLD_LABELS) == {definitions.POLLS.name}


async def test_counts_that_an_earlier_version_wrote_under_old_names_go_on(tmp_path: Path) -> None:
    old = Series("conflicto_limits_alone_total", (), (3.0,))
    (tmp_path / "0.json").write_bytes(msgspec.json.encode([old]))
    metrics = Metrics()
    metrics.counter(definitions.LIMIT_FALLBACKS).inc()
    workers = MultiprocessMetrics(tmp_path, metrics)

    collected = {each.name: each.values for each in await workers.collect_all()}

    assert collected["conflicto_limit_fallbacks_total"] == (4.0,)
    workers.close()
