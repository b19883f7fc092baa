"""One page for all workers: each leaves its numbers in a folder that they share, and whoever is asked adds them up.

A worker leaves its numbers every two seconds, when it is asked, and when it ends. A place in the folder is held by a lock that the
system gives back when its holder dies, however it dies; whoever takes the place next goes on counting from what was left there, so the
sums never fall. What a place held of gauges counts only while its holder lives.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from conflicto.platform.metrics.definitions import METRICS, Metric, MetricType, MultiprocessMode
from conflicto.platform.metrics.registry import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.metrics.registry import Metrics

WRITE_INTERVAL_S = 2.0
"""How old the numbers of other workers may be."""

MAX_SLOTS = 1024
"""Four times the most workers that the settings allow: a rolling restart holds two places for each."""

METRICS_BY_NAME = {metric.name: metric for metric in METRICS}

log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(list[Series]).decode
_encode = msgspec.json.Encoder().encode


class MultiprocessMetrics:
    """This process's place in the folder."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self._folder = folder
        self._metrics = metrics
        self._lock, self._own_file = _lock_slot(folder)
        self._previous = [each for each in _read_file(self._own_file) if METRICS_BY_NAME[each.name].type is not MetricType.GAUGE]

    async def run(self) -> None:
        """Leave the numbers again and again, until cancelled."""
        while True:
            await self.write()
            await asyncio.sleep(WRITE_INTERVAL_S)

    async def write(self) -> list[Series]:
        """Leave the numbers as they are now, and return them; where they cannot be written, the others go on with older ones."""
        now = merge([self._previous, self._metrics.collect()])
        await asyncio.to_thread(self._write_file, now)
        return now

    async def collect_all(self) -> list[Series]:
        """Return what all workers count, gone ones included; this one's numbers are as they are now."""
        now = await self.write()
        return await asyncio.to_thread(self._collect_files, now)

    def close(self) -> None:
        """Give the place back."""
        os.close(self._lock)

    def _write_file(self, series: list[Series]) -> None:
        fresh = self._own_file.with_suffix(f".{os.getpid()}")
        try:
            fresh.write_bytes(_encode(series))
            fresh.replace(self._own_file)
        except OSError as error:
            log.warning("counts-not-left", error=type(error).__name__)

    def _collect_files(self, now: list[Series]) -> list[Series]:
        told = [now]
        for left in sorted(self._folder.glob("*.json")):
            if left != self._own_file:
                series = _read_file(left)
                is_held = _is_locked(left.with_suffix(".lock"))
                told.append(
                    series if is_held else [each for each in series if METRICS_BY_NAME[each.name].type is not MetricType.GAUGE]
                )
        return merge(told)


def merge(told: Iterable[Iterable[Series]]) -> list[Series]:
    """Add up what several processes count: each gauge in its own way, everything else as a sum."""
    gathered: dict[tuple[str, tuple[str, ...]], list[tuple[float, ...]]] = defaultdict(list)
    for series in told:
        for each in series:
            gathered[each.name, each.labels].append(each.values)
    return [
        Series(name, labels, tuple(_merge_values(name, values) for values in zip(*all_values, strict=True)))
        for (name, labels), all_values in gathered.items()
    ]


def _merge_values(name: str, values: tuple[float, ...]) -> float:
    metric = METRICS_BY_NAME[name]
    if metric.type is MetricType.GAUGE and metric.multiprocess_mode is not MultiprocessMode.SUM:
        return max(values) if metric.multiprocess_mode is MultiprocessMode.MAX else min(values)
    return sum(values)


def _lock_slot(folder: Path) -> tuple[int, Path]:
    for number in range(MAX_SLOTS):
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return lock, folder / f"{number}.json"
    message = f"{folder} has no place left for another worker."
    raise RuntimeError(message)


def _is_locked(lock: Path) -> bool:
    """Whether the holder of a place lives. To look is to hold it for a moment, so a worker that starts just then takes another place."""
    look = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(look, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(look)
    return False


def _read_file(left: Path) -> list[Series]:
    """Return what lies there as far as it is ours: the folder may hold what another version left."""
    try:
        found = _decode(left.read_bytes())
    except (OSError, msgspec.DecodeError):
        return []
    return [each for each in found if each.name in METRICS_BY_NAME and _fits(each, METRICS_BY_NAME[each.name])]


def _fits(series: Series, metric: Metric) -> bool:
    return len(series.labels) == len(metric.labels) and len(series.values) == _value_count(metric)


def _value_count(metric: Metric) -> int:
    return len(metric.bounds) + 2 if metric.type is MetricType.HISTOGRAM else 1
