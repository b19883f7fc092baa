"""Dashboard and alert rules use only names, labels and values of a real scrape."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from conflicto.platform.metrics.definitions import METRICS, MetricType
from conflicto.platform.metrics.deprecated import OLD_LABELS, OLD_NAMES
from conflicto.platform.problems import registry
from tests.deploy.programs import DEPLOY, run
from tests.support import databases
from tests.support.machines import until
from tests.support.processes import served

RULES = DEPLOY / "prometheus/alerts.yaml"
DASHBOARD = json.loads((DEPLOY / "grafana/conflicto.json").read_text(encoding="utf-8"))
ALERTS = [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
OPERATIONS = (DEPLOY.parent / "docs/operations.md").read_text(encoding="utf-8")

SELECTOR = re.compile(r"\b((?:conflicto|process)_[a-z_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|=|!~)\s*"([^"]*)"')
FOREIGN = {"instance", "job", "le"}
OUTCOMES = {"accepted", "unchanged", "limited", "refused", "failed", "told", "ended", "not_held"}


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def expressions() -> list[str]:
    found = [target["expr"] for panel in _panels(DASHBOARD["panels"]) for target in panel.get("targets", [])]
    return [*found, *(rule["expr"] for rule in ALERTS)]


@pytest.fixture(scope="module")
def samples(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str, postgres_template: str, valkey_url: str
) -> dict[str, set[str]]:
    """Return the labels of each sample of a server that has answered some requests."""
    folder = tmp_path_factory.mktemp("watched")
    with databases.postgres_copy(postgres_url) as url, served(folder, workers=2, DATABASE_URL=url, REDIS_URL=valkey_url) as server:
        session = server.call("POST", "/sessions", {"title": "Town hall"})
        host, path = session["host_token"], f"/sessions/{session['id']}"
        server.call("PATCH", path, {"status": "active"}, token=host)
        activity = server.call("POST", f"{path}/activities", {"type": "anything", "status": "active"}, token=host)
        phone = server.call("POST", "/join", {"nickname": "Anna", "code": session["join_code"]})["participant_token"]
        server.call("POST", f"{path}/activities/{activity['id']}/responses", {"response_data": 1}, token=phone)
        server.call("GET", f"{path}/status?wait=1", token=phone)
        with pytest.raises(AssertionError):
            server.call("GET", "/sessions", token="nobody's")
        for name in ("conflicto_responses_total{", "conflicto_polls_total{"):  # the other worker's numbers arrive later
            until(lambda name=name: name in server.text("/metrics"))
        text = server.text("/metrics")
    return {sample.name: set(sample.labels) for family in text_string_to_metric_families(text) for sample in family.samples}


def test_every_name_and_label_is_exposed(samples: dict[str, set[str]]) -> None:
    for expression in expressions():
        for name, selector in SELECTOR.findall(expression):
            assert name in samples, (name, expression)
            labels = {label for label, _, _ in MATCHER.findall(selector)}
            assert labels <= samples[name] | FOREIGN, (labels, expression)


def test_no_old_name_is_used() -> None:
    old = {*OLD_NAMES, *(label.name for label in OLD_LABELS.values())}
    for expression in expressions():
        words = {re.sub("_(bucket|sum|count)$", "", word) for word in re.findall(r"\w+", expression)}
        assert not words & old, expression


def test_every_value_of_a_label_can_occur() -> None:
    for expression in expressions():
        for _, selector in SELECTOR.findall(expression):
            for label, _, value in MATCHER.findall(selector):
                if label == "code":
                    assert value in registry(), expression
                elif label == "outcome":
                    assert value in OUTCOMES, expression


def test_queries_group_by_existing_labels() -> None:
    labels = {label for metric in METRICS for label in metric.labels} | FOREIGN
    for expression in expressions():
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            assert {each.strip() for each in grouped.split(",")} <= labels, expression


def test_the_dashboard_has_every_metric() -> None:
    shown = " ".join(target["expr"] for panel in _panels(DASHBOARD["panels"]) for target in panel.get("targets", []))
    for metric in METRICS:
        suffix = "_(bucket|sum|count)" if metric.type is MetricType.HISTOGRAM else ""
        assert re.search(rf"\b{metric.name}{suffix}\b", shown), metric.name


def test_panels_have_unique_ids_and_descriptions() -> None:
    panels = list(_panels(DASHBOARD["panels"]))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] for panel in panels if panel["type"] != "row")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_is_explained_in_operations(alert: dict[str, Any]) -> None:
    assert re.search(rf"^\| `{alert['alert']}` \| ", OPERATIONS, re.MULTILINE), "docs/operations.md must say what to do"
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"]


def test_promtool_accepts_the_rules_and_their_tests_pass() -> None:
    run("promtool", "check", "rules", RULES)
    run("promtool", "test", "rules", DEPLOY / "prometheus/alerts.test.yaml")
    run("promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus/prometheus.yaml")


def test_prometheus_reads_its_token_from_a_file() -> None:
    config = yaml.safe_load(Path(DEPLOY / "prometheus/prometheus.yaml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "conflicto", "the alert on `up` names the job"
    assert list(job["authorization"]) == ["credentials_file"]
