"""Metrics of all workers: each writes its numbers to a shared folder, and any merges them.

A worker writes every two seconds, when `/metrics` is read, and when it stops. It holds the lock of
its slot in the folder. The operating system releases the lock when the process ends, however it
ends. The next holder of the slot counts on from the file, so no sum falls. Gauges in a file count
only while its slot is locked.
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
from conflicto.platform.metrics.deprecated import OLD_NAMES
from conflicto.platform.metrics.registry import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.metrics.registry import Metrics

WRITE_INTERVAL_S = 2.0
"""Maximum age of the numbers of other workers."""

MAX_SLOTS = 1024
"""Four times the maximum of CONFLICTO_WORKERS; a rolling restart needs two slots for each worker.
"""

METRICS_BY_NAME = {metric.name: metric for metric in METRICS}

log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(list[Series]).decode
_encode = msgspec.json.Encoder().encode


class MultiprocessMetrics:
    """This process's slot in the folder."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self._folder = folder
        self._metrics = metrics
        self._lock, self._own_file = _lock_slot(folder)
        self._previous = _without_gauges(_read_file(self._own_file))

    async def run(self) -> None:
        """Write the numbers periodically until cancelled."""
        while True:
            await self.write()
            await asyncio.sleep(WRITE_INTERVAL_S)

    async def write(self) -> list[Series]:
        """Write and return the current numbers; a failed write leaves older ones to others."""
        now = merge([self._previous, self._metrics.collect()])
        await asyncio.to_thread(self._write_file, now)
        return now

    async def collect_all(self) -> list[Series]:
        """Return the merged numbers of all workers, stopped ones included."""
        now = await self.write()
        return await asyncio.to_thread(self._collect_files, now)

    def close(self) -> None:
        """Release the slot."""
        os.close(self._lock)

    def _write_file(self, series: list[Series]) -> None:
        temporary = self._own_file.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_bytes(_encode(series))
            temporary.replace(self._own_file)
        except OSError as error:
            log.warning("metrics-not-written", error=type(error).__name__)

    def _collect_files(self, now: list[Series]) -> list[Series]:
        processes = [now]
        for file in sorted(self._folder.glob("*.json")):
            if file != self._own_file:
                series = _read_file(file)
                processes.append(series if _is_locked(file.with_suffix(".lock")) else _without_gauges(series))
        return merge(processes)


def merge(processes: Iterable[Iterable[Series]]) -> list[Series]:
    """Merge the series of several processes: gauges by their mode, everything else as a sum."""
    collected: dict[tuple[str, tuple[str, ...]], list[tuple[float, ...]]] = defaultdict(list)
    for series in processes:
        for each in series:
            collected[each.name, each.labels].append(each.values)
    return [
        Series(name, labels, tuple(_merge_values(name, values) for values in zip(*all_values, strict=True)))
        for (name, labels), all_values in collected.items()
    ]


def _merge_values(name: str, values: tuple[float, ...]) -> float:
    metric = METRICS_BY_NAME[name]
    if metric.type is MetricType.GAUGE and metric.multiprocess_mode is not MultiprocessMode.SUM:
        return max(values) if metric.multiprocess_mode is MultiprocessMode.MAX else min(values)
    return sum(values)


def _without_gauges(series: Iterable[Series]) -> list[Series]:
    return [each for each in series if METRICS_BY_NAME[each.name].type is not MetricType.GAUGE]


def _lock_slot(folder: Path) -> tuple[int, Path]:
    """Return the lock's file descriptor and the data file of a free slot."""
    for number in range(MAX_SLOTS):
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return lock, folder / f"{number}.json"
    message = f"{folder} has no free slot for another worker: all {MAX_SLOTS} are locked."
    raise RuntimeError(message)


def _is_locked(lock: Path) -> bool:
    """Return whether a process holds the slot.

    The check takes the lock for a moment, so a worker that starts in that moment takes another
    slot.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read_file(file: Path) -> list[Series]:
    """Return the series of a file under today's names.

    Another version may have written the file, so series that do not fit today's table are dropped.
    """
    try:
        found = _decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):
        return []
    renamed = [each._replace(name=OLD_NAMES[each.name].name) if each.name in OLD_NAMES else each for each in found]
    return [each for each in renamed if each.name in METRICS_BY_NAME and _fits(each, METRICS_BY_NAME[each.name])]


def _fits(series: Series, metric: Metric) -> bool:
    return len(series.labels) == len(metric.labels) and len(series.values) == _value_count(metric)


def _value_count(metric: Metric) -> int:
    return len(metric.bounds) + 2 if metric.type is MetricType.HISTOGRAM else 1
