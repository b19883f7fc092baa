"""A real PgBouncer, from the distribution, before a PostgreSQL server of the tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

POOLER = os.environ.get("CONFLICTO_TEST_POOLER", "")
"""Pool mode, `session` or `transaction`, in which tests reach PostgreSQL through PgBouncer
(`make test-pooler`)."""

START_TIMEOUT_S = PATIENCE_S

SETTINGS = """
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 20
max_client_conn = 500
server_login_retry = 0.05
{more}
"""


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer."""

    port: int

    def through(self, url: str) -> str:
        """Return a database's URL with this pooler in between."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@127.0.0.1:{self.port}").geturl()


def past_pooler(url: str, server_url: str) -> str:
    """Return a database's URL on the server itself.

    The tests' pooler knows no other role, and keeps connections open.
    """
    server, login = urlsplit(server_url), urlsplit(url).netloc.rpartition("@")[0]
    return urlsplit(url)._replace(netloc=f"{login}@{server.hostname}:{server.port}").geturl()


@contextmanager
def pgbouncer(
    server_url: str, mode: str, more: str = "ignore_startup_parameters = extra_float_digits, options"
) -> Iterator[Pooler]:
    """Yield a PgBouncer in a pool mode, configured like most guides."""
    binary = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        assert "CI" not in os.environ, "tests through a pooler need PgBouncer: apt-get install pgbouncer"
        pytest.skip("PgBouncer is missing: apt-get install pgbouncer")
    server, port = urlsplit(server_url), free_port()
    with tempfile.TemporaryDirectory(prefix="conflicto-pgbouncer-") as name:
        folder = Path(name)
        (folder / "users").write_text(f'"{server.username}" "{server.password}"\n')
        (folder / "ini").write_text(
            SETTINGS.format(host=server.hostname, server_port=server.port, port=port, folder=folder, mode=mode, more=more)
        )
        how = {}
        if os.geteuid() == 0:  # it refuses to run as root
            nobody = pwd.getpwnam("nobody")
            how = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in (folder, folder / "users", folder / "ini"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([binary, folder / "ini"], cwd=folder, stdout=log, stderr=log, **how)
        pooler = Pooler(port)
        try:
            _wait(process, pooler.through(server_url), folder / "log")
            yield pooler
        finally:
            process.kill()
            process.wait(START_TIMEOUT_S)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            psycopg.connect(url, autocommit=True).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
