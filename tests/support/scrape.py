"""The samples of `/metrics`, by name and by label values in the order of the table."""

from prometheus_client.parser import text_string_to_metric_families

from conflicto.platform.metrics.definitions import METRICS

Samples = dict[tuple[str, tuple[str, ...]], float]

LABELS = {metric.name: metric.labels for metric in METRICS}


def parse(text: str) -> Samples:
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        names = LABELS.get(family.name) or LABELS.get(f"{family.name}_total", ())
        for sample in family.samples:
            order = [*names, *(["le"] if "le" in sample.labels else [])]
            samples[sample.name, tuple(sample.labels[name] for name in order)] = sample.value
    return samples


def grown(before: Samples, after: Samples, name: str, *labels: str) -> float:
    return after.get((name, labels), 0.0) - before.get((name, labels), 0.0)
