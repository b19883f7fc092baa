"""A real Prometheus scrapes a real server and evaluates every rule and query."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.deploy.programs import DEPLOY, program
from tests.deploy.test_watching import expressions
from tests.support.ports import free_port
from tests.support.processes import PLAIN, served

PATIENCE_S = 40.0
METRICS_TOKEN = "prometheus-of-the-tests"


@pytest.fixture(scope="module")
def prometheus_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Yield a function that queries Prometheus's API, after two scrapes."""
    binary, folder, port = program("prometheus"), tmp_path_factory.mktemp("prometheus"), free_port()
    with served(folder / "data", CONFLICTO_METRICS_TOKEN=METRICS_TOKEN) as server:
        config = _config(folder, server.url.removeprefix("http://"))
        command = [
            binary,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

        def call(path: str, **query: str) -> Any:
            answer = httpx2.get(f"http://127.0.0.1:{port}/api/v1/{path}", params=query, timeout=10, **PLAIN)
            return answer.json()

        try:
            _until(lambda: _value(call("query", query='count_over_time(up{job="conflicto"}[1m])')) >= 2, folder / "log")
            yield call
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _config(folder: Path, target: str) -> Path:
    token = folder / "token"
    token.write_text(METRICS_TOKEN)
    text = (DEPLOY / "prometheus/prometheus.yaml").read_text(encoding="utf-8")
    for ours, theirs in (
        ("127.0.0.1:8000", target),
        ("/etc/prometheus/conflicto-metrics-token", str(token)),
        ("15s", "1s"),
        ("[alerts.yaml]", f"[{DEPLOY / 'prometheus/alerts.yaml'}]"),
    ):
        assert ours in text
        text = text.replace(ours, theirs)
    config = folder / "prometheus.yaml"
    config.write_text(text)
    return config


def _value(answer: Any) -> float:
    found = answer["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def _until(true: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if true():
                return
        except (httpx2.TransportError, KeyError, ValueError):
            pass
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)


def test_it_scrapes_with_the_token(prometheus_api: Callable[..., Any]) -> None:
    assert _value(prometheus_api("query", query='up{job="conflicto"}')) == 1
    assert _value(prometheus_api("query", query="conflicto_workers")) == 1
    (target,) = prometheus_api("targets")["data"]["activeTargets"]
    assert target["lastError"] == ""


def test_every_rule_is_evaluated_and_none_fires_where_all_is_well(prometheus_api: Callable[..., Any]) -> None:
    (group,) = prometheus_api("rules")["data"]["groups"]
    assert {rule["health"] for rule in group["rules"]} == {"ok"}
    assert [rule["name"] for rule in group["rules"] if rule["state"] != "inactive"] == []


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_question_of_dashboard_and_rules_is_one(prometheus_api: Callable[..., Any], expression: str) -> None:
    query = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")

    assert prometheus_api("query", query=query)["status"] == "success"
