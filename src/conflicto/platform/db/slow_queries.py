"""Log of slow statements: text and time, never parameters, at most one line a minute per text.

Statements inside `defer` are reported at its end or not at all: a line must not reveal that an
anonymous response came.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import structlog

from conflicto.platform.instants import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger(__name__)

Role = Literal["reader", "writer"]

ROUTE: ContextVar[str | None] = ContextVar("route", default=None)
"""Route template of the current request, as metrics name it."""

MIN_BETWEEN_LINES_S = 60.0
"""Time between two lines about the same text."""

MAX_TEXTS = 100
"""Texts in memory, 2 KB each, and so lines per minute: texts with expanded lists never repeat."""

MAX_TEXT_CHARS = 1_000


@dataclass(slots=True)
class DeferredReports:
    """Slow statements of one thread, reported at the end of a block if `is_reported` is set."""

    is_reported: bool
    statements: list[tuple[Role, str, float, str | None]] = field(default_factory=list)


@dataclass(slots=True)
class _LoggedText:
    """Time of the last line about a text, and how often it was slow since then."""

    written_s: float
    held_back: int = 0


class SlowQueries:
    """Counts and logs statements that take `threshold_s` or longer; 0 disables it. Thread-safe."""

    def __init__(self, threshold_s: float = 0.0, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.threshold_s = threshold_s
        self.counts: dict[Role, int] = {"reader": 0, "writer": 0}
        self._monotonic_s = monotonic_s
        self._logged: dict[tuple[Role, str], _LoggedText] = {}
        self._lock = threading.Lock()
        self._local = threading.local()

    @contextmanager
    def defer(self, *, is_reported: bool = True) -> Iterator[DeferredReports]:
        """Defer this thread's reports to the end of the block.

        They are dropped unless `is_reported` of the yielded object is set.
        """
        deferred = self._local.held = DeferredReports(is_reported)
        try:
            yield deferred
        finally:
            self._local.held = None
            if deferred.is_reported:
                for statement in deferred.statements:
                    self._report(*statement)

    def begin(self, route: str | None) -> None:
        """Set the route of the read that this thread runs from now on."""
        self._local.route = route

    def report(self, role: Role, statement: str, duration_s: float) -> None:
        """Count a slow statement, and log it unless its text had a line within the last minute."""
        text = statement[:MAX_TEXT_CHARS]
        deferred: DeferredReports | None = getattr(self._local, "held", None)
        route: str | None = getattr(self._local, "route", None)
        if deferred is None:
            self._report(role, text, duration_s, route)
        else:
            deferred.statements.append((role, text, duration_s, route))

    def _report(self, role: Role, text: str, duration_s: float, route: str | None) -> None:
        with self._lock:
            self.counts[role] += 1
            held_back = self._take_line((role, text))
        if held_back is not None:
            log.warning(
                "slow-query",
                role=role,
                milliseconds=round(duration_s * MS_PER_S),
                held_back=held_back,
                statement=" ".join(text.split()),
                **({"route": route} if route else {}),
            )

    def _take_line(self, key: tuple[Role, str]) -> int | None:
        """Return how often a text was slow since its last line, None if it may have no line now."""
        now_s = self._monotonic_s()
        line = self._logged.get(key)
        if line is not None and now_s - line.written_s < MIN_BETWEEN_LINES_S:
            line.held_back += 1
            return None
        if line is None and len(self._logged) >= MAX_TEXTS:
            oldest = next(iter(self._logged))
            if now_s - self._logged[oldest].written_s < MIN_BETWEEN_LINES_S:
                return None
            del self._logged[oldest]
        self._logged.pop(key, None)  # the newest line stands last
        self._logged[key] = _LoggedText(now_s)
        return line.held_back if line else 0
