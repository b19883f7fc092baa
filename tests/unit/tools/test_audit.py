"""Tests of the audit with pip-audit and a local service: three distinct outcomes."""

import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.ports import free_port
from tools.audit import CLEAN, UNKNOWN, VULNERABLE, npm_audit_report, npm_verdict, pip_audit_report, verdict, worst

ADVISORY = {
    "id": "PYSEC-2026-1", "summary": "S", "details": "D", "aliases": [], "affected": [{
        "package": {"name": "held-together", "ecosystem": "PyPI"}, "versions": ["1.0"],
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
    }],
}  # fmt: skip

NPM_ADVISORY = {"id": 1, "url": "https://example.org/1", "title": "T", "severity": "high", "vulnerable_versions": "<1.1"}


class Service(BaseHTTPRequestHandler):
    """Service with one vulnerability of one package."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        body: dict[str, Any] = json.loads(gzip.decompress(sent) if self.headers["content-encoding"] == "gzip" else sent)
        if self.path.startswith("/-/npm/"):
            found: dict[str, Any] = {name: [NPM_ADVISORY] for name in body if name == "held-together"}
        else:
            found = {"vulns": [ADVISORY]} if body["package"]["name"] == "held-together" else {}
        reply = json.dumps(found).encode()
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


def npm_folder(folder: Path, *names: str) -> Path:
    packages = {f"node_modules/{name}": {"version": "1.0.0"} for name in names}
    required = dict.fromkeys(names, "1.0.0")
    (folder / "package.json").write_text(json.dumps({"name": "x", "dependencies": required}))
    locked = {"name": "x", "lockfileVersion": 3, "packages": {"": {"dependencies": required}, **packages}}
    (folder / "package-lock.json").write_text(json.dumps(locked))
    return folder


def test_a_known_vulnerability_of_npm_is_reported(service: str, tmp_path: Path) -> None:
    code, lines = npm_verdict([npm_audit_report(npm_folder(tmp_path, "harmless", "held-together"), f"--registry={service}")])

    assert (code, lines) == (
        VULNERABLE,
        ["npm: held-together: high, T in <1.1 (https://example.org/1)", "npm: 1 of 2 packages have known vulnerabilities."],
    )


def test_packages_of_npm_without_a_known_vulnerability_pass(service: str, tmp_path: Path) -> None:
    report = npm_audit_report(npm_folder(tmp_path, "harmless"), f"--registry={service}")

    assert npm_verdict([report]) == (CLEAN, ["No known vulnerability in 1 pinned packages of npm."])
    assert npm_verdict([report, None])[0] == UNKNOWN


def test_a_registry_that_does_not_answer_is_unknown(tmp_path: Path) -> None:
    report = npm_audit_report(npm_folder(tmp_path, "harmless"), f"--registry=http://127.0.0.1:{free_port()}")

    assert report is None
    assert npm_verdict([report]) == (
        UNKNOWN,
        ["npm: the registry did not answer. It is NOT known whether a package is vulnerable."],
    )


def test_the_worst_part_is_the_exit_code() -> None:
    assert [worst(codes) for codes in ([CLEAN, CLEAN], [CLEAN, UNKNOWN], [UNKNOWN, VULNERABLE, CLEAN])] == [
        CLEAN,
        UNKNOWN,
        VULNERABLE,
    ]


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
