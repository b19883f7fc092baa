"""Tests of the audit with pip-audit and a local service: three distinct outcomes."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.ports import free_port
from tools.audit import CLEAN, UNKNOWN, VULNERABLE, pip_audit_report, verdict

ADVISORY = {
    "id": "PYSEC-2026-1", "summary": "S", "details": "D", "aliases": [], "affected": [{
        "package": {"name": "held-together", "ecosystem": "PyPI"}, "versions": ["1.0"],
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
    }],
}  # fmt: skip


class Service(BaseHTTPRequestHandler):
    """Service with one vulnerability of one package."""

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = json.dumps({"vulns": [ADVISORY]} if body["package"]["name"] == "held-together" else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def lock(folder: Path, *names: str) -> list[Path]:
    path = folder / "lock.txt"
    path.write_text("".join(f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in names))
    return [path]


def test_a_known_vulnerability_is_reported(service: str, tmp_path: Path) -> None:
    code, lines = verdict(pip_audit_report(lock(tmp_path, "harmless", "held-together"), service))

    assert (code, lines[0]) == (VULNERABLE, "held-together 1.0: PYSEC-2026-1 (fixed in 1.1)")


def test_none_is_known(service: str, tmp_path: Path) -> None:
    assert verdict(pip_audit_report(lock(tmp_path, "harmless"), service)) == (
        CLEAN,
        ["No known vulnerability in 1 pinned dependencies."],
    )


def test_silence_is_not_health(tmp_path: Path) -> None:
    code, lines = verdict(pip_audit_report(lock(tmp_path, "harmless"), f"http://127.0.0.1:{free_port()}"))

    assert code == UNKNOWN
    assert "NOT known" in lines[0]


@pytest.mark.parametrize("dependencies", [[], [{"name": "a", "skip_reason": "not found"}]])
def test_what_was_passed_over_is_not_known(dependencies: list[dict[str, Any]]) -> None:
    assert verdict({"dependencies": dependencies})[0] == UNKNOWN
