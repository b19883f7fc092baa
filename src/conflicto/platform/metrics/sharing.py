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

from conflicto.platform.metrics.counting import Series
from conflicto.platform.metrics.names import TABLE, Kind, Metric, Together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.metrics.counting import Metrics

LEAVE_S = 2.0
"""How old the numbers of other workers may be."""

MOST_PLACES = 1024
"""Four times the most workers that the settings allow: a rolling restart holds two places for each."""

KINDS = {metric.name: metric for metric in TABLE}

log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(list[Series]).decode
_encode = msgspec.json.Encoder().encode


class Sharing:
    """This process's place in the folder."""

    def __init__(self, folder: Path, metrics: Metrics) -> None:
        self._folder = folder
        self._metrics = metrics
        self._lock, self._mine = _take_place(folder)
        self._earlier = [each for each in _read(self._mine) if KINDS[each.name].kind is not Kind.GAUGE]

    async def run(self) -> None:
        """Leave the numbers again and again, until cancelled."""
        while True:
            await self.leave()
            await asyncio.sleep(LEAVE_S)

    async def leave(self) -> list[Series]:
        """Leave the numbers as they are now, and return them; where they cannot be written, the others go on with older ones."""
        now = together([self._earlier, self._metrics.series()])
        await asyncio.to_thread(self._write, now)
        return now

    async def of_all(self) -> list[Series]:
        """Return what all workers count, gone ones included; this one's numbers are as they are now."""
        now = await self.leave()
        return await asyncio.to_thread(self._gathered, now)

    def close(self) -> None:
        """Give the place back."""
        os.close(self._lock)

    def _write(self, series: list[Series]) -> None:
        fresh = self._mine.with_suffix(f".{os.getpid()}")
        try:
            fresh.write_bytes(_encode(series))
            fresh.replace(self._mine)
        except OSError as error:
            log.warning("counts-not-left", error=type(error).__name__)

    def _gathered(self, now: list[Series]) -> list[Series]:
        told = [now]
        for left in sorted(self._folder.glob("*.json")):
            if left != self._mine:
                series = _read(left)
                is_held = _is_held(left.with_suffix(".lock"))
                told.append(series if is_held else [each for each in series if KINDS[each.name].kind is not Kind.GAUGE])
        return together(told)


def together(told: Iterable[Iterable[Series]]) -> list[Series]:
    """Add up what several processes count: each gauge in its own way, everything else as a sum."""
    gathered: dict[tuple[str, tuple[str, ...]], list[tuple[float, ...]]] = defaultdict(list)
    for series in told:
        for each in series:
            gathered[each.name, each.labels].append(each.values)
    return [
        Series(name, labels, tuple(_as_one(name, values) for values in zip(*all_values, strict=True)))
        for (name, labels), all_values in gathered.items()
    ]


def _as_one(name: str, values: tuple[float, ...]) -> float:
    metric = KINDS[name]
    if metric.kind is Kind.GAUGE and metric.together is not Together.SUM:
        return max(values) if metric.together is Together.MOST else min(values)
    return sum(values)


def _take_place(folder: Path) -> tuple[int, Path]:
    for number in range(MOST_PLACES):
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return lock, folder / f"{number}.json"
    message = f"{folder} has no place left for another worker."
    raise RuntimeError(message)


def _is_held(lock: Path) -> bool:
    """Whether the holder of a place lives. To look is to hold it for a moment, so a worker that starts just then takes another place."""
    look = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(look, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(look)
    return False


def _read(left: Path) -> list[Series]:
    """Return what lies there as far as it is ours: the folder may hold what another version left."""
    try:
        found = _decode(left.read_bytes())
    except (OSError, msgspec.DecodeError):
        return []
    return [each for each in found if each.name in KINDS and _fits(each, KINDS[each.name])]


def _fits(series: Series, metric: Metric) -> bool:
    return len(series.labels) == len(metric.labels) and len(series.values) == _length(metric)


def _length(metric: Metric) -> int:
    return len(metric.bounds) + 2 if metric.kind is Kind.HISTOGRAM else 1
