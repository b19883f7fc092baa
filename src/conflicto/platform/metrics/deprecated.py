"""Old names of metrics and labels, exposed beside the new ones for one version.

`/metrics` repeats each renamed metric under its old name. A renamed label stands beside the new one
in the same series, so that no sum counts a request twice. The rest of the program knows only new
names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from conflicto.platform.metrics import definitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conflicto.platform.metrics.definitions import Metric
    from conflicto.platform.metrics.registry import Series

OLD_NAMES: Final[Mapping[str, Metric]] = {
    "conflicto_info": definitions.BUILD_INFO,
    "conflicto_interpreter_faults": definitions.INTERPRETER_VULNERABILITIES,
    "conflicto_memory_bytes": definitions.MEMORY,
    "conflicto_supervisor_memory_bytes": definitions.SUPERVISOR_MEMORY,
    "conflicto_cpu_seconds_total": definitions.CPU_SECONDS,
    "conflicto_ready_answer_seconds": definitions.FAST_PATH_SECONDS,
    "conflicto_refusals_total": definitions.PROBLEMS,
    "conflicto_body_bytes": definitions.BODY_BYTES,
    "conflicto_waits": definitions.LONG_POLLS_WAITING,
    "conflicto_heads": definitions.SESSIONS_CACHED,
    "conflicto_redis_faults_total": definitions.REDIS_ERRORS,
    "conflicto_doorbells": definitions.PUBSUB_CONNECTED,
    "conflicto_limits_alone_total": definitions.LIMIT_FALLBACKS,
}
"""The metric that replaces each old name."""


@dataclass(frozen=True, slots=True)
class OldLabel:
    """An old label; `values` maps each value of the label `replaced_by` to the old value."""

    name: str
    replaced_by: str
    values: Mapping[str, str]


OLD_LABELS: Final[Mapping[str, OldLabel]] = {
    definitions.POLLS.name: OldLabel("way", "path", {definitions.FAST: "ready", definitions.SLOW: "whole"}),
}
"""The old label of a metric, by the metric's name."""


def old_metric(name: str, metric: Metric) -> Metric:
    """Return the definition of a metric under its old name."""
    return replace(metric, name=name, help=f"Deprecated, removed in the next version: use {metric.name}.")


def with_old_label(metric: Metric, series: Sequence[Series]) -> tuple[Metric, Sequence[Series]]:
    """Return a metric and its series with the old label added, or unchanged if it has none."""
    old = OLD_LABELS.get(metric.name)
    if old is None:
        return metric, series
    place = metric.labels.index(old.replaced_by)
    labelled = [each._replace(labels=(*each.labels, old.values[each.labels[place]])) for each in series]
    return replace(metric, labels=(*metric.labels, old.name)), labelled
