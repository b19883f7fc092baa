"""The numbers of one process. Counting is adding to a number: no lock, no look-up of labels, nothing made until the page is asked for.

Everything here belongs to the event loop; what other threads measure is handed over before it is counted.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from conflicto.platform.ids import up_to_exactly
from conflicto.platform.metrics import names
from conflicto.platform.metrics.deferred import Deferred
from conflicto.platform.metrics.names import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Requested = dict[tuple[str, str, str], float]
"""Requests by method, route and status."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""No others are labels: a method is any word that a client makes up."""

UNREAD = "other"
"""The method of requests with one that nobody knows, and of what never became a request."""

UNMATCHED = "unknown"
"""The route of requests that met none."""


FORM_STATUS = (200, 304)
UNCHANGED = FORM_STATUS.index(304)

UNTIMED = 63
"""Mask of the count of a form: where a bit of it is set, the answer is not timed, which leaves one of 64."""

USUAL_READY_S = 10e-6
"""Assumed time of a ready answer while none was timed."""

MAX_SPREAD = 1_000
"""In thousandths of the mean: the width of drawn times."""


class Count:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, more: float = 1.0) -> None:
        """Add to it."""
        self.value += more


class Spread:
    """How many values lay below each bound, and their sum."""

    __slots__ = ("_bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        """Take in one value; what equals a bound lies below it."""
        self.buckets[bisect_left(self._bounds, value)] += 1
        self.total += value


class Tally:
    """Answers of one route that were ready, by their form (`platform/fast_path/cached_response.py`), and the times of one of 64."""

    __slots__ = ("forms", "seconds")

    def __init__(self, seconds: Spread) -> None:
        self.forms = [0, 0]
        self.seconds = seconds

    def count_disguised(self) -> None:
        """Count a poll that showed an author news of their own as a ready 304, with a drawn time where one would be timed."""
        self.forms[UNCHANGED] += 1
        if not self.forms[UNCHANGED] & UNTIMED:
            timed = sum(self.seconds.buckets)
            usual_s = self.seconds.total / timed if timed else USUAL_READY_S
            self.seconds.note(usual_s * (MAX_SPREAD // 2 + up_to_exactly(MAX_SPREAD)) / MAX_SPREAD)


class Series(NamedTuple):
    """One line of the page, as processes tell it to each other: a number, or a histogram's buckets and the sum of its values."""

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A route whose requests are also told as `metric`, with `label` for what was asked."""

    metric: Metric
    label: str


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._counts: dict[Metric, dict[tuple[str, ...], Count]] = {}
        self._spreads: dict[Metric, dict[tuple[str, ...], Spread]] = {}
        self._watched: dict[Metric, dict[tuple[str, ...], Callable[[], float]]] = {}
        self._requests: dict[tuple[str, str, int], tuple[Count, Spread]] = {}
        self._tallies: dict[str, Tally] = {}
        self._shown: Mapping[str, Shown] = {}
        self.deferred = Deferred(self)
        for metric in names.TABLE:
            if metric.kind is Kind.COUNTER and not metric.labels:
                self.count(metric)
            elif metric.kind is Kind.HISTOGRAM and not metric.labels:
                self.spread(metric)

    def show(self, routes: Mapping[str, Shown]) -> None:
        """Tell requests of these routes (by `METHOD /template`) also under a name of their own."""
        self._shown = routes

    def count(self, metric: Metric, *labels: str) -> Count:
        """Return a counter; whoever counts often keeps it."""
        children = self._counts.setdefault(metric, {})
        return children.get(labels) or children.setdefault(labels, Count())

    def spread(self, metric: Metric, *labels: str) -> Spread:
        """Return a histogram; whoever counts often keeps it."""
        children = self._spreads.setdefault(metric, {})
        return children.get(labels) or children.setdefault(labels, Spread(metric.bounds))

    def watch(self, metric: Metric, value: Callable[[], float], *labels: str) -> None:
        """Tell, whenever the page is asked for, what `value` gives then."""
        self._counts.pop(metric, None)  # a counter that somebody else counts
        self._watched.setdefault(metric, {})[labels] = value

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        requests, spread = self._of(route, method, status)
        requests.value += 1
        spread.note(seconds)

    def answered_before(self, route: str, method: str, status: int, amount: int, seconds: Sequence[float]) -> None:
        """Count answers that were given before, with the times of some of them."""
        requests, spread = self._of(route, method, status)
        requests.add(amount)
        for each in seconds:
            spread.note(each)

    def _of(self, route: str, method: str, status: int) -> tuple[Count, Spread]:
        child = self._requests.get((method, route, status))
        if child is None:
            known = method if method in METHODS else UNREAD
            child = self.count(names.REQUESTS, known, route, str(status)), self.spread(names.REQUEST_SECONDS, known, route)
            if known is method:
                self._requests[method, route, status] = child
        return child

    def refused(self, route: str, method: str, code: str) -> None:
        """Count one problem document; its code is one of the program's own."""
        self.count(names.REFUSALS, method if method in METHODS else UNREAD, route, code).add()

    def unread(self, code: str) -> None:
        """Count a connection that was refused before there was a request on it."""
        self.refused(UNMATCHED, UNREAD, code)

    def tally(self, route: str) -> Tally:
        """Return where ready answers to GETs of this route are counted."""
        tally = self._tallies.get(route)
        if tally is None:
            tally = self._tallies[route] = Tally(self.spread(names.READY_SECONDS, route))
        return tally

    def series(self) -> Iterator[Series]:
        """Yield everything, as it is now."""
        for metric, children in self._watched.items():
            for labels, value in children.items():
                yield Series(metric.name, labels, (float(value()),))
        for metric, spreads in self._spreads.items():
            for labels, spread in spreads.items():
                yield Series(metric.name, labels, (*map(float, spread.buckets), spread.total))
        for metric, counts in self._counts.items():
            if metric is not names.REQUESTS:
                for labels, count in counts.items():
                    yield Series(metric.name, labels, (count.value,))
        yield from self._requests_and_what_they_show()

    def _requests_and_what_they_show(self) -> Iterator[Series]:
        whole: Requested = {
            (labels[0], labels[1], labels[2]): count.value for labels, count in self._counts.get(names.REQUESTS, {}).items()
        }
        ready: Requested = {
            ("GET", route, str(status)): float(tally.forms[form])
            for route, tally in self._tallies.items()
            for form, status in enumerate(FORM_STATUS)
        }
        for request in [*whole, *(each for each in ready if each not in whole)]:
            yield Series(names.REQUESTS.name, request, (whole.get(request, 0.0) + ready.get(request, 0.0),))
        sums: dict[tuple[Metric, tuple[str, ...]], float] = {}
        for way, counted in (("whole", whole), ("ready", ready)):
            for (method, route, status), value in counted.items():
                shown = self._shown.get(f"{method} {route}")
                if shown is not None:
                    came = outcome_of(int(status))
                    key = shown.metric, (shown.label, came, way) if "way" in shown.metric.labels else (shown.label, came)
                    sums[key] = sums.get(key, 0.0) + value
        for (metric, labels), value in sums.items():
            yield Series(metric.name, labels, (value,))


def outcome_of(status: int) -> str:
    """Return what came of a request: `accepted`, `unchanged`, `limited`, `refused` or `failed`."""
    if status == 304:  # noqa: PLR2004 - Not Modified
        return "unchanged"
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return "limited"
    if status >= 500:  # noqa: PLR2004 - ours
        return "failed"
    return "refused" if status >= 400 else "accepted"  # noqa: PLR2004 - theirs
