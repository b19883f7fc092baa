"""Counters, histograms and callbacks of one process.

Counting adds to a number, without a lock or a look-up of labels. Used on the event loop only: other
threads hand their measurements over to it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from conflicto.platform.ids import secret_number
from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.deferred_requests import DeferredRequests
from conflicto.platform.metrics.definitions import Metric, MetricType
from conflicto.platform.response_cache.cached_response import NOT_MODIFIED, VARIANT_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

RequestCounts = dict[tuple[str, str, str], float]
"""Requests by method, route and status."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that become label values; clients may send any word as a method."""

OTHER_METHOD = "other"
"""The label value of every other method, and of connections without a valid request."""

UNKNOWN_ROUTE = "unknown"
"""The label value of requests that match no route."""

UNTIMED_MASK = 63
"""Bit mask of a variant's count: a response is timed if no masked bit is set, which is one of 64.
"""

DEFAULT_FAST_PATH_S = 10e-6
"""Assumed time of a response of the fast path before the first one was timed."""

JITTER_PER_MILLE = 1_000
"""Range of random times, in thousandths of the mean."""


class Counter:
    """A number that never falls."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Add `amount`."""
        self.value += amount


class Histogram:
    """Counts of values by bucket and their sum. `buckets` are not cumulative."""

    __slots__ = ("bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value; a value equal to a bound belongs to the bucket below it."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.sum += value


class FastPathMetrics:
    """Responses of the fast path for one route: counts by variant, and the times of one of 64."""

    __slots__ = ("counts", "seconds")

    def __init__(self, seconds: Histogram) -> None:
        self.counts = [0, 0]
        self.seconds = seconds

    def count_as_not_modified(self) -> None:
        """Count a poll that showed only its author's own changes as a 304 of the fast path.

        Its time, where one is due, is random: the real one would tell that the author had changes.
        """
        self.counts[NOT_MODIFIED] += 1
        if not self.counts[NOT_MODIFIED] & UNTIMED_MASK:
            timed = sum(self.seconds.buckets)
            mean_s = self.seconds.sum / timed if timed else DEFAULT_FAST_PATH_S
            self.seconds.observe(mean_s * (JITTER_PER_MILLE // 2 + secret_number(JITTER_PER_MILLE)) / JITTER_PER_MILLE)


class Series(NamedTuple):
    """A time series; `values` is one number, or a histogram's buckets and its sum."""

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RouteMetric:
    """The additional metric of a route, with `label` as the value of its first label."""

    metric: Metric
    label: str


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._counters: dict[Metric, dict[tuple[str, ...], Counter]] = {}
        self._histograms: dict[Metric, dict[tuple[str, ...], Histogram]] = {}
        self._functions: dict[Metric, dict[tuple[str, ...], Callable[[], float]]] = {}
        self._requests: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._fast_paths: dict[str, FastPathMetrics] = {}
        self._route_metrics: Mapping[str, RouteMetric] = {}
        self.deferred = DeferredRequests(self)
        for metric in definitions.METRICS:
            if metric.type is MetricType.COUNTER and not metric.labels:
                self.counter(metric)
            elif metric.type is MetricType.HISTOGRAM and not metric.labels:
                self.histogram(metric)

    def set_route_metrics(self, routes: Mapping[str, RouteMetric]) -> None:
        """Count requests of these routes (keys: `METHOD /template`) also in the given metrics."""
        self._route_metrics = routes

    def counter(self, metric: Metric, *labels: str) -> Counter:
        """Return the counter of these label values; keep it to count without a look-up."""
        children = self._counters.setdefault(metric, {})
        return children.get(labels) or children.setdefault(labels, Counter())

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        """Return the histogram of these label values; keep it to observe without a look-up."""
        children = self._histograms.setdefault(metric, {})
        return children.get(labels) or children.setdefault(labels, Histogram(metric.bounds))

    def set_function(self, metric: Metric, value: Callable[[], float], *labels: str) -> None:
        """Set the function that returns the value whenever metrics are collected."""
        self._counters.pop(metric, None)  # the owner of the function counts it
        self._functions.setdefault(metric, {})[labels] = value

    def count_response(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one response that took `seconds`."""
        found = self._requests.get((method, route, status))
        requests, times = self._request_metrics(route, method, status) if found is None else found
        requests.value += 1
        times.buckets[bisect_left(times.bounds, seconds)] += 1  # `observe` without a call
        times.sum += seconds

    def count_responses(self, route: str, method: str, status: int, amount: int, seconds: Sequence[float]) -> None:
        """Count `amount` earlier responses, with the times of some of them."""
        requests, times = self._request_metrics(route, method, status)
        requests.inc(amount)
        for each in seconds:
            times.observe(each)

    def _request_metrics(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        child = self._requests.get((method, route, status))
        if child is None:
            known = method if method in METHODS else OTHER_METHOD
            child = (
                self.counter(definitions.REQUESTS, known, route, str(status)),
                self.histogram(definitions.REQUEST_SECONDS, known, route),
            )
            if known is method:
                self._requests[method, route, status] = child
        return child

    def count_problem(self, route: str, method: str, code: str) -> None:
        """Count one problem document with a code of the problem registry."""
        self.counter(definitions.PROBLEMS, method if method in METHODS else OTHER_METHOD, route, code).inc()

    def count_rejected_connection(self, code: str) -> None:
        """Count a connection that was refused before its first request."""
        self.count_problem(UNKNOWN_ROUTE, OTHER_METHOD, code)

    def fast_path(self, route: str) -> FastPathMetrics:
        """Return the fast path's counts of GET requests to this route."""
        found = self._fast_paths.get(route)
        if found is None:
            found = self._fast_paths[route] = FastPathMetrics(self.histogram(definitions.FAST_PATH_SECONDS, route))
        return found

    def collect(self) -> Iterator[Series]:
        """Yield all series with their current values."""
        for metric, functions in self._functions.items():
            for labels, value in functions.items():
                yield Series(metric.name, labels, (float(value()),))
        for metric, histograms in self._histograms.items():
            for labels, histogram in histograms.items():
                yield Series(metric.name, labels, (*map(float, histogram.buckets), histogram.sum))
        for metric, counters in self._counters.items():
            if metric is not definitions.REQUESTS:
                for labels, counter in counters.items():
                    yield Series(metric.name, labels, (counter.value,))
        yield from self._collect_requests()

    def _collect_requests(self) -> Iterator[Series]:
        slow: RequestCounts = {
            (labels[0], labels[1], labels[2]): counter.value
            for labels, counter in self._counters.get(definitions.REQUESTS, {}).items()
        }
        fast: RequestCounts = {
            ("GET", route, str(status)): float(fast_path.counts[variant])
            for route, fast_path in self._fast_paths.items()
            for variant, status in enumerate(VARIANT_STATUS)
        }
        for request in [*slow, *(each for each in fast if each not in slow)]:
            yield Series(definitions.REQUESTS.name, request, (slow.get(request, 0.0) + fast.get(request, 0.0),))
        sums: dict[tuple[Metric, tuple[str, ...]], float] = {}
        for path, counts in ((definitions.SLOW, slow), (definitions.FAST, fast)):
            for (method, route, status), value in counts.items():
                found = self._route_metrics.get(f"{method} {route}")
                if found is not None:
                    action = found.label, outcome(int(status))
                    key = found.metric, (*action, path) if "path" in found.metric.labels else action
                    sums[key] = sums.get(key, 0.0) + value
        for (metric, labels), value in sums.items():
            yield Series(metric.name, labels, (value,))


def outcome(status: int) -> str:
    """Return the outcome of a status: `accepted`, `unchanged`, `limited`, `refused` or `failed`."""
    if status == 304:  # noqa: PLR2004 - Not Modified
        return "unchanged"
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return "limited"
    if status >= 500:  # noqa: PLR2004 - server errors
        return "failed"
    return "refused" if status >= 400 else "accepted"  # noqa: PLR2004 - client errors
