"""The numbers of one process. Counting is adding to a number: no lock, no look-up of labels, nothing made until the page is asked for.

Everything here belongs to the event loop; what other threads measure is handed over before it is counted.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from conflicto.platform.ids import up_to_exactly
from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.deferred_requests import DeferredRequests
from conflicto.platform.metrics.definitions import Metric, MetricType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

RequestCounts = dict[tuple[str, str, str], float]
"""Requests by method, route and status."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""No others are labels: a method is any word that a client makes up."""

OTHER_METHOD = "other"
"""The method of requests with one that nobody knows, and of what never became a request."""

UNKNOWN_ROUTE = "unknown"
"""The route of requests that met none."""


VARIANT_STATUS = (200, 304)
NOT_MODIFIED = VARIANT_STATUS.index(304)

UNTIMED_MASK = 63
"""Mask of the count of a form: where a bit of it is set, the answer is not timed, which leaves one of 64."""

DEFAULT_FAST_PATH_S = 10e-6
"""Assumed time of a ready answer while none was timed."""

JITTER_PER_MILLE = 1_000
"""In thousandths of the mean: the width of drawn times."""


class Counter:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, more: float = 1.0) -> None:
        """Add to it."""
        self.value += more


class Histogram:
    """How many values lay below each bound, and their sum."""

    __slots__ = ("_bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Take in one value; what equals a bound lies below it."""
        self.buckets[bisect_left(self._bounds, value)] += 1
        self.sum += value


class FastPathMetrics:
    """Answers of one route that were ready, by their form (`platform/fast_path/cached_response.py`), and the times of one of 64."""

    __slots__ = ("counts", "seconds")

    def __init__(self, seconds: Histogram) -> None:
        self.counts = [0, 0]
        self.seconds = seconds

    def count_as_not_modified(self) -> None:
        """Count a poll that showed an author news of their own as a ready 304, with a drawn time where one would be timed."""
        self.counts[NOT_MODIFIED] += 1
        if not self.counts[NOT_MODIFIED] & UNTIMED_MASK:
            timed = sum(self.seconds.buckets)
            usual_s = self.seconds.sum / timed if timed else DEFAULT_FAST_PATH_S
            self.seconds.observe(usual_s * (JITTER_PER_MILLE // 2 + up_to_exactly(JITTER_PER_MILLE)) / JITTER_PER_MILLE)


class Series(NamedTuple):
    """One line of the page, as processes tell it to each other: a number, or a histogram's buckets and the sum of its values."""

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RouteMetric:
    """A route whose requests are also told as `metric`, with `label` for what was asked."""

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
        """Tell requests of these routes (by `METHOD /template`) also under a name of their own."""
        self._route_metrics = routes

    def counter(self, metric: Metric, *labels: str) -> Counter:
        """Return a counter; whoever counts often keeps it."""
        children = self._counters.setdefault(metric, {})
        return children.get(labels) or children.setdefault(labels, Counter())

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        """Return a histogram; whoever counts often keeps it."""
        children = self._histograms.setdefault(metric, {})
        return children.get(labels) or children.setdefault(labels, Histogram(metric.bounds))

    def set_function(self, metric: Metric, value: Callable[[], float], *labels: str) -> None:
        """Tell, whenever the page is asked for, what `value` gives then."""
        self._counters.pop(metric, None)  # a counter that somebody else counts
        self._functions.setdefault(metric, {})[labels] = value

    def count_response(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        requests, spread = self._request_metrics(route, method, status)
        requests.value += 1
        spread.observe(seconds)

    def count_responses(self, route: str, method: str, status: int, amount: int, seconds: Sequence[float]) -> None:
        """Count answers that were given before, with the times of some of them."""
        requests, spread = self._request_metrics(route, method, status)
        requests.inc(amount)
        for each in seconds:
            spread.observe(each)

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
        """Count one problem document; its code is one of the program's own."""
        self.counter(definitions.PROBLEMS, method if method in METHODS else OTHER_METHOD, route, code).inc()

    def count_rejected_connection(self, code: str) -> None:
        """Count a connection that was refused before there was a request on it."""
        self.count_problem(UNKNOWN_ROUTE, OTHER_METHOD, code)

    def fast_path(self, route: str) -> FastPathMetrics:
        """Return where ready answers to GETs of this route are counted."""
        tally = self._fast_paths.get(route)
        if tally is None:
            tally = self._fast_paths[route] = FastPathMetrics(self.histogram(definitions.FAST_PATH_SECONDS, route))
        return tally

    def collect(self) -> Iterator[Series]:
        """Yield everything, as it is now."""
        for metric, children in self._functions.items():
            for labels, value in children.items():
                yield Series(metric.name, labels, (float(value()),))
        for metric, spreads in self._histograms.items():
            for labels, spread in spreads.items():
                yield Series(metric.name, labels, (*map(float, spread.buckets), spread.sum))
        for metric, counts in self._counters.items():
            if metric is not definitions.REQUESTS:
                for labels, count in counts.items():
                    yield Series(metric.name, labels, (count.value,))
        yield from self._collect_requests()

    def _collect_requests(self) -> Iterator[Series]:
        whole: RequestCounts = {
            (labels[0], labels[1], labels[2]): count.value for labels, count in self._counters.get(definitions.REQUESTS, {}).items()
        }
        ready: RequestCounts = {
            ("GET", route, str(status)): float(tally.counts[form])
            for route, tally in self._fast_paths.items()
            for form, status in enumerate(VARIANT_STATUS)
        }
        for request in [*whole, *(each for each in ready if each not in whole)]:
            yield Series(definitions.REQUESTS.name, request, (whole.get(request, 0.0) + ready.get(request, 0.0),))
        sums: dict[tuple[Metric, tuple[str, ...]], float] = {}
        for way, counted in (("whole", whole), ("ready", ready)):
            for (method, route, status), value in counted.items():
                shown = self._route_metrics.get(f"{method} {route}")
                if shown is not None:
                    came = outcome(int(status))
                    key = shown.metric, (shown.label, came, way) if "way" in shown.metric.labels else (shown.label, came)
                    sums[key] = sums.get(key, 0.0) + value
        for (metric, labels), value in sums.items():
            yield Series(metric.name, labels, (value,))


def outcome(status: int) -> str:
    """Return what came of a request: `accepted`, `unchanged`, `limited`, `refused` or `failed`."""
    if status == 304:  # noqa: PLR2004 - Not Modified
        return "unchanged"
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return "limited"
    if status >= 500:  # noqa: PLR2004 - ours
        return "failed"
    return "refused" if status >= 400 else "accepted"  # noqa: PLR2004 - theirs
