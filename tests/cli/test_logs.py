"""The log of a real server: each line is JSON, and contains no canary of any field."""

import json
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from tests.support import databases
from tests.support.patience import PATIENCE_S
from tests.support.processes import ADMIN, PLAIN, Served, served

CANARY = "canary"
FORGED = "%0d%0a%7b%22event%22:%22forged%22%7d%1b%5b31m"


def lines(server: Served) -> list[dict[str, Any]]:
    """Return the log lines after the greeting for people at the start."""
    written = server.log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in written[next(number for number, line in enumerate(written) if line.startswith("{")) :]]


@pytest.fixture
def database(postgres_url: str, postgres_template: str):
    with databases.postgres_copy(postgres_url) as url:
        yield url


@pytest.mark.catalogue("W-05")
def test_the_log_has_what_happened_and_nothing_that_was_sent(database: str, tmp_path: Path) -> None:
    with served(tmp_path, DATABASE_URL=database, CONFLICTO_ACCESS_LOG="on", CONFLICTO_SLOW_QUERY_MS="1") as server:
        secrets = _talk(server, database)
        server.stop()

    text = server.log.read_text(encoding="utf-8")
    assert {secret for secret in secrets if secret in text} == set()
    log = lines(server)
    assert {"started", "stopped", "slow-query"} <= {line["event"] for line in log}
    answered = [line for line in log if line["event"] == "answered"]
    assert {line["route"] for line in answered} >= {"/api/v1/sessions/by-code/{code}", "/api/v1/join", "unknown"}
    failed = next(line for line in log if line["event"] == "command-failed")
    assert failed["exception"][0] | {"at": []} == {
        "type": "sqlalchemy.exc.IntegrityError", "driver": "CheckViolation", "sqlstate": "23514", "at": [],
    }  # fmt: skip
    assert not [line for line in log if line["event"] == "forged"]


def _talk(server: Served, database: str) -> list[str]:
    """Send a canary in every field, and return all words that must not be in the log."""
    session = server.call("POST", "/sessions", {"title": f"{CANARY}-title"})
    host = session["host_token"]
    server.call("PATCH", f"/sessions/{session['id']}", {"status": "active"}, token=host)
    path = f"/sessions/{session['id']}/activities"
    fields = {"type": "anything", "status": "active", "config": {"q": f"{CANARY}-config"}, "secret": f"{CANARY}-secret"}
    activity = server.call("POST", path, fields, token=host)
    seat = server.call("POST", "/join", {"nickname": f"{CANARY}-name", "code": session["join_code"]})
    phone = seat["participant_token"]
    key = f"{CANARY}-key"
    server.call("POST", f"{path}/{activity['id']}/responses", {"response_data": f"{CANARY}-answer"}, token=phone, key=key)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE responses ADD CHECK (response_text NOT LIKE '%canary-poison%')")
    base = f"{server.url}/api/v1"
    broken = {"response_data": f"{CANARY}-poison"}
    bearer = {"authorization": f"Bearer {phone}"}
    with httpx2.Client(timeout=PATIENCE_S, **PLAIN) as http:
        assert http.post(f"{base}{path}/{activity['id']}/responses", json=broken, headers=bearer).status_code == 500
        assert http.get(f"{base}/sessions/by-code/{session['join_code']}").is_success
        assert http.get(f"{base}/sessions/by-code/{CANARY}{FORGED}").is_client_error
        assert http.get(f"{base}/{CANARY}{FORGED}?ticket={CANARY}-ticket&x={FORGED}").is_client_error
        assert http.get(f"{base}/sessions", headers={"authorization": f"Bearer {CANARY}.token.x"}).status_code == 401
        assert http.post(f"{base}/join", content=f'{{"{CANARY}', headers={"content-type": "application/json"}).status_code == 400
        assert http.request(f"{CANARY.upper()}", f"{base}/join").is_client_error
        http.get(f"{base}/sessions", headers={"x-request-id": f"{CANARY}-id", "user-agent": f"{CANARY}-agent"})
    code = session["join_code"]
    return [CANARY, CANARY.upper(), ADMIN, host, session["screen_token"], phone, code, code.replace("-", ""), "\x1b"]


def test_every_worker_writes_json_lines_with_its_own_number(database: str, tmp_path: Path) -> None:
    with served(tmp_path, workers=2, DATABASE_URL=database) as server:
        server.stop()

    log = lines(server)
    started = [line for line in log if line["event"] == "started"]
    assert len({line["pid"] for line in started}) == 2
    assert all(line["workers"] == 2 and line["database"] == "postgresql" for line in started)
    assert {line["pid"] for line in log if line["event"] == "stopped"} == {line["pid"] for line in started}


def test_text_can_be_had_instead(tmp_path: Path) -> None:
    with served(tmp_path, CONFLICTO_LOG_FORMAT="text") as server:
        server.stop()

    assert "started" in server.log.read_text(encoding="utf-8")
    assert not [line for line in server.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


def test_the_start_prints_one_line_for_an_old_name_of_a_setting(tmp_path: Path) -> None:
    with served(tmp_path, CONFLICTO_EXPRESS="off", CONFLICTO_FAST_PATH="off") as server:
        server.stop()

    reported = [line for line in server.log.read_text(encoding="utf-8").splitlines() if "CONFLICTO_EXPRESS" in line]
    assert reported == [
        "The environment variable CONFLICTO_EXPRESS is deprecated and is read until version 1.0. Use CONFLICTO_FAST_PATH instead."
    ]
