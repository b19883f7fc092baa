"""Checks before a server starts: each fault is told in one sentence with its remedy, before anything says that the server serves."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from sqlalchemy import make_url

from conflicto.cli.environment import UNUSABLE
from conflicto.platform.redis_url import RedisUrlInvalid, require_usable, server_mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from conflicto.settings import Settings

MIN_FREE_BYTES = 1024 * 1024
"""Room that a start needs: the schema, the log of the database, a key."""

IN_MEMORY = ":memory:"

err = Console(stderr=True, highlight=False, soft_wrap=True)


def require_port(host: str, port: int) -> None:
    """Exit with 3 where nobody can listen on an address and port; the port is free again when this returns."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            _refuse(_about_port(host, port, error))


def require_data_directory(settings: Settings) -> None:
    """Make the folder of an embedded database, and exit with 3 where files cannot be written in it."""
    path = _database_file(settings)
    fault = path and _fault_of(path.parent, "The data of this server are kept there", "CONFLICTO_DATA_DIR")
    if fault:
        _refuse(fault)


def require_export_directory(settings: Settings) -> None:
    """Make the folder of exports, and exit with 3 where files cannot be written in it; where no setting names it, a warning is enough."""
    fault = _fault_of(settings.exports_path, "Exports are written there before they are sent", "CONFLICTO_EXPORT_DIR", mode=0o700)
    if fault and settings.export_dir is not None:
        _refuse(fault)
    if fault:
        err.print(f"Exports will fail. {fault}", markup=False)


def _fault_of(folder: Path, use: str, setting: str, *, mode: int = 0o777) -> str | None:
    """Return why files cannot be written in a folder, which is made if it is not there, and what to do."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, MIN_FREE_BYTES)
    except OSError as error:
        return f"{folder}: {error.strerror}. {_remedy(error, use, setting)}"
    return None


def require_redis(settings: Settings) -> None:
    """Exit with 3 where REDIS_URL cannot be understood, or leads to a server of another kind; one that is away is no fault."""
    url = settings.secret("redis_url")
    if url is None:
        return
    try:
        require_usable(url)
    except RedisUrlInvalid as error:
        _refuse(f"REDIS_URL {error}.")
    mode = asyncio.run(server_mode(url))
    if mode == "cluster":
        _refuse(
            "REDIS_URL leads to a Redis Cluster, which is not supported. Use one server, or Sentinel: redis+sentinel://host:26379/SERVICE."
        )
    if mode == "sentinel":
        _refuse("REDIS_URL leads to a Sentinel. Write redis+sentinel://host:26379/SERVICE, with the service that it monitors.")


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Hold the embedded database for this process, or exit with 3 where another server has it; the lock dies with its process."""
    path = _database_file(settings)
    if path is None:
        yield
        return
    path = path.resolve()  # whatever links lead to it
    lock = path.with_name(f"{path.name}.lock")
    with os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _refuse(
                f"Another server (process {file.read().strip() or 'unknown'}) uses {path}. Stop it, give this one another"
                " CONFLICTO_DATA_DIR, or serve from several processes with PostgreSQL in DATABASE_URL."
            )
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield


def _database_file(settings: Settings) -> Path | None:
    """Return the file of an embedded database, or exit with 3 where there is to be none."""
    if not settings.is_embedded:
        return None
    name = make_url(settings.url).database
    if not name or name == IN_MEMORY:
        _refuse("A database in memory is gone with its process. Write `sqlite:///path` in DATABASE_URL, or leave it out.")
    return Path(name)


def _about_port(host: str, port: int, error: OSError | OverflowError) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken by another program. Stop it, or choose another port: conflicto serve --port {port + 1}"
        )
    if code == errno.EACCES:
        return f"Port {port} needs the rights of root. Choose one from 1024 on, and put a proxy before it (docs/hosting.md)."
    return f"{host} is no address of this machine ({error}). Use 127.0.0.1, 0.0.0.0 for all addresses, or --lan."


def _remedy(error: OSError, use: str, setting: str) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"Free at least {MIN_FREE_BYTES // 1024} KiB there, or set {setting} to a folder with room."
    return f"{use}: make it a folder that this user may write, or set {setting}."


def _refuse(sentence: str) -> NoReturn:
    err.print(sentence, markup=False)
    raise typer.Exit(UNUSABLE)
