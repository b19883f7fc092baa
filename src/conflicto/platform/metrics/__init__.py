"""What the program counts of itself, for Prometheus. Labels have bounded values: route templates, never paths."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""All others count as `other`: a method is any word that a client makes up."""


class Tally:
    """Answers of one route that were ready, by their form (`platform/express/ready.py`); counted as plain numbers, told when asked."""

    __slots__ = ("forms", "told")

    def __init__(self) -> None:
        self.forms = [0, 0]
        self.told = [0, 0]


FORM_STATUS = (200, 304)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter("conflicto_requests", "Answered requests.", ["method", "route", "status"], registry=self.registry)
        self._seconds = Histogram(
            "conflicto_request_seconds", "Time from the first byte of a request to its answer.", ["method"], registry=self.registry
        )
        self._commits = Counter("conflicto_commits", "Groups that were committed.", registry=self.registry)
        self._events = Counter("conflicto_committed_events", "Changes inside those groups.", registry=self.registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._tallies: dict[str, Tally] = {}
        self.queued = Gauge("conflicto_writer_queue", "Commands that wait for the writer.", registry=self.registry)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Tell, whenever the page is asked for, what `value` gives then."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. Labelled children are looked up once: finding one costs more than the count itself."""
        child = self._children.get((method, route, status))
        if child is None:
            method = method if method in METHODS else "other"
            child = self._requests.labels(method, route, status), self._seconds.labels(method)
            self._children[method, route, status] = child
        child[0].inc()
        child[1].observe(seconds)

    def committed(self, events: int) -> None:
        """Count one group."""
        self._commits.inc()
        self._events.inc(events)

    def tally(self, route: str) -> Tally:
        """Return where ready answers to GETs of this route are counted; they are too quick for the histogram of seconds."""
        return self._tallies.setdefault(route, Tally())

    def page(self) -> bytes:
        """Return the text exposition format."""
        for route, tally in self._tallies.items():
            for form, status in enumerate(FORM_STATUS):
                new = tally.forms[form] - tally.told[form]
                tally.told[form] += new
                self._requests.labels("GET", route, status).inc(new)
        return generate_latest(self.registry)
