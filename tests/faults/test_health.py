"""Liveness covers the process; readiness covers the path to a commit, with PostgreSQL stopped."""

import time
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from conflicto import migrations
from conflicto.platform.db.schema import SCHEMA
from tests.support import databases
from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN, Served, served
from tests.support.servers import create_database, postgres_cluster, valkey_server


def probe(server: Served, what: str) -> tuple[int, Any]:
    answer = httpx2.get(f"{server.url}/health/{what}", timeout=PATIENCE_S, **PLAIN)
    return answer.status_code, answer.json()


def until(server: Served, status: int, dependency: str | None = None) -> Any:
    end = time.monotonic() + PATIENCE_S
    while True:
        found, body = probe(server, "ready")
        if found == status and body.get("dependency") == dependency:
            return body
        assert time.monotonic() < end, body
        time.sleep(0.1)


@pytest.mark.catalogue("O-10")
def test_readiness_follows_the_database_and_liveness_does_not(tmp_path: Path) -> None:
    with postgres_cluster(fsync=False) as cluster:
        url = create_database(cluster.url, "health")
        migrations.upgrade(url)
        with served(tmp_path, DATABASE_URL=url) as server:
            ready = until(server, 200)
            assert ready["status"] == "ready"
            assert ready["database"] == "postgresql"
            assert ready["durability"] == "synchronous_commit=on"
            assert ready["schema_revision"] == SCHEMA
            assert ready["redis"] == "unused"

            cluster.crash()
            problem = until(server, 503, "database")
            assert problem["code"] == "not-ready"
            assert probe(server, "live") == (200, {"status": "live"})

            cluster.start(cluster.port, fsync=False)
            assert cluster.answers()
            assert until(server, 200)["status"] == "ready"
            assert server.process.poll() is None


def test_another_schema_is_named(tmp_path: Path) -> None:
    with postgres_cluster(fsync=False) as cluster:
        url = create_database(cluster.url, "health_schema")
        migrations.upgrade(url)
        with served(tmp_path, DATABASE_URL=url) as server, psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            until(server, 503, "schema")
            assert probe(server, "live")[0] == 200
            connection.execute("UPDATE alembic_version SET version_num = %s", [SCHEMA])
            until(server, 200)


@pytest.mark.timed
def test_a_database_that_does_not_answer_is_reported_in_time(tmp_path: Path) -> None:
    with postgres_cluster(fsync=False) as cluster:
        url = create_database(cluster.url, "health_slow")
        migrations.upgrade(url)
        with served(tmp_path, DATABASE_URL=url) as server, psycopg.connect(url) as holder:
            holder.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            time.sleep(1.1)  # the last check is valid for a second
            began = time.monotonic()
            assert probe(server, "ready")[1]["dependency"] == "database"
            assert time.monotonic() - began < 6
            holder.rollback()
            until(server, 200)


def test_without_redis_it_works_with_less_and_reports_it(postgres_url: str, postgres_template: str, tmp_path: Path) -> None:
    with (
        databases.postgres_copy(postgres_url) as url,
        valkey_server() as valkey,
        served(tmp_path, DATABASE_URL=url, REDIS_URL=valkey.connection_url) as server,
    ):
        _until_redis(server, "ready", "up")
        valkey.stop()
        _until_redis(server, "degraded", "away")
        session = server.call("POST", "/sessions", {"title": "Still here"})
        assert server.call("GET", f"/sessions/{session['id']}")["title"] == "Still here"


def _until_redis(server: Served, status: str, redis: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        found, body = probe(server, "ready")
        assert found == 200, body
        if (body["status"], body["redis"]) == (status, redis):
            return
        assert time.monotonic() < end, body
        time.sleep(0.1)
