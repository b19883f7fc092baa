"""Merged metrics of workers. Each instance represents a process."""

import shutil
from pathlib import Path

import msgspec

from conflicto.platform.metrics import definitions
from conflicto.platform.metrics.definitions import Metric
from conflicto.platform.metrics.multiprocess import MultiprocessMetrics, merge
from conflicto.platform.metrics.registry import Metrics, Series


def counting(commits: int, *, lag_s: float = 0.0, waits: int = 0) -> Metrics:
    metrics = Metrics()
    metrics.counter(definitions.COMMITS).inc(commits)
    metrics.histogram(definitions.COMMIT_COMMANDS).observe(commits)
    metrics.set_function(definitions.LOOP_LAG, lambda: lag_s)
    metrics.set_function(definitions.LONG_POLLS_WAITING, lambda: waits)
    metrics.set_function(definitions.UPTIME, lambda: waits)
    return metrics


def value(series: list[Series], metric: Metric) -> float:
    return next(sum(each.values) for each in series if each.name == metric.name)


async def test_counters_and_histograms_are_summed_and_gauges_merged_by_mode(tmp_path: Path) -> None:
    first = MultiprocessMetrics(tmp_path, counting(3, lag_s=0.1, waits=2))
    second = MultiprocessMetrics(tmp_path, counting(4, lag_s=0.7, waits=5))
    await second.write()

    samples = await first.collect_all()

    assert value(samples, definitions.COMMITS) == 7
    assert value(samples, definitions.COMMIT_COMMANDS) == 2 + 7, "two values, whose sum is seven"
    assert value(samples, definitions.LOOP_LAG) == 0.7
    assert value(samples, definitions.LONG_POLLS_WAITING) == 7
    assert value(samples, definitions.UPTIME) == 2
    first.close()
    second.close()


async def test_series_of_another_version_with_other_labels_are_ignored(tmp_path: Path) -> None:
    values = (1.0,) * (len(definitions.REQUEST_SECONDS.bounds) + 2)
    for number, labels in enumerate((("GET",), ("GET", "/health/live"))):
        (tmp_path / f"{number + 7}.json").write_bytes(
            msgspec.json.encode([Series(definitions.REQUEST_SECONDS.name, labels, values)])
        )
    sharing = MultiprocessMetrics(tmp_path, counting(3))

    samples = [each.labels for each in await sharing.collect_all() if each.name == definitions.REQUEST_SECONDS.name]

    assert samples == [("GET", "/health/live")]
    sharing.close()


async def test_a_worker_returns_its_own_current_numbers(tmp_path: Path) -> None:
    metrics = counting(3)
    sharing = MultiprocessMetrics(tmp_path, metrics)
    await sharing.collect_all()
    metrics.counter(definitions.COMMITS).inc()

    assert value(await sharing.collect_all(), definitions.COMMITS) == 4
    sharing.close()


async def test_the_counts_of_a_dead_worker_stay_and_its_gauges_go(tmp_path: Path) -> None:
    first = MultiprocessMetrics(tmp_path, counting(3, waits=2))
    second = MultiprocessMetrics(tmp_path, counting(4, waits=5))
    await second.write()
    second.close()  # the system does the same for a killed process

    samples = await first.collect_all()

    assert value(samples, definitions.COMMITS) == 7
    assert value(samples, definitions.LONG_POLLS_WAITING) == 2
    first.close()


async def test_the_next_holder_of_a_slot_continues_its_counts(tmp_path: Path) -> None:
    first = MultiprocessMetrics(tmp_path, counting(3))
    for _ in range(5):
        fresh = MultiprocessMetrics(tmp_path, counting(10, waits=1))
        await fresh.write()
        fresh.close()

    samples = await first.collect_all()

    assert value(samples, definitions.COMMITS) == 53
    assert value(samples, definitions.LONG_POLLS_WAITING) == 0, "the waiting requests of a dead worker are gone"
    assert not (tmp_path / "2.json").exists(), "one file per worker slot, however often its worker is replaced"
    first.close()


def test_series_with_different_labels_stay_separate() -> None:
    accepted = Series(definitions.RESPONSES.name, ("submit", "accepted"), (2.0,))
    refused = Series(definitions.RESPONSES.name, ("submit", "refused"), (1.0,))

    assert sorted(merge([[accepted, refused], [accepted]])) == [accepted._replace(values=(4.0,)), refused]


async def test_invalid_files_and_unknown_series_are_ignored(tmp_path: Path) -> None:
    first = MultiprocessMetrics(tmp_path, counting(3))
    (tmp_path / "7.json").write_text('[["conflicto_from_the_future_total", [], [5]], ["conflicto_commit_commands", [], [1, 2]]]')
    (tmp_path / "8.json").write_text('[["conflicto_commits_total", [], [5')

    assert value(await first.collect_all(), definitions.COMMITS) == 3
    first.close()


async def test_without_its_folder_a_worker_still_returns_its_own_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "counts"
    folder.mkdir()
    first = MultiprocessMetrics(folder, counting(3))
    shutil.rmtree(folder)

    assert value(await first.collect_all(), definitions.COMMITS) == 3
    first.close()
