"""Checks before a server starts; each fault is one sentence with its remedy."""

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

from conflicto.cli.environment import EXIT_UNUSABLE
from conflicto.platform.db.dialects.dialect import DatabaseUrlInvalid
from conflicto.platform.db.dialects.registry import parse_database_url
from conflicto.platform.peers.sockets import MAX_FOLDER_BYTES, fits, is_of_this_account, is_open_to_others
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from conflicto.settings import Settings

MIN_FREE_BYTES = MIB
"""Disk space that a start needs: the schema, the database's log, a key."""

IN_MEMORY = ":memory:"

err = Console(stderr=True, highlight=False, soft_wrap=True)


def require_port(host: str, port: int, command: str = "conflicto serve") -> None:
    """Exit with 3 if the address and port cannot be bound; the port is free again afterwards."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            _exit_unusable(_port_error(host, port, error, command))


def require_data_directory(settings: Settings) -> None:
    """Create the directory of an embedded database, and exit with 3 if it is not writable."""
    path = _database_file(settings)
    fault = path and _directory_error(path.parent, "The data of this server are kept there", "CONFLICTO_DATA_DIR")
    if fault:
        _exit_unusable(fault)


def require_export_directory(settings: Settings) -> None:
    """Create the directory of exports, and exit with 3 if it is not writable.

    If no setting names the directory, a warning is enough.
    """
    fault = _directory_error(
        settings.exports_path, "Exports are written there before they are sent", "CONFLICTO_EXPORT_DIR", mode=0o700
    )
    if fault and settings.export_dir is not None:
        _exit_unusable(fault)
    if fault:
        err.print(f"Exports will fail. {fault}", markup=False)


def require_workers_directory(settings: Settings) -> None:
    """Create the directory of the workers' sockets, and exit with 3 if others may reach them.

    Workers believe what comes over these sockets.
    """
    folder = settings.workers_dir
    fault = folder and (
        _long_path_error(folder)
        or _directory_error(folder, "Workers of one machine find each other there", "CONFLICTO_WORKERS_DIR", mode=0o700)
        or _shared_folder_error(folder)
    )
    if fault:
        _exit_unusable(fault)


def _long_path_error(folder: Path) -> str | None:
    if fits(folder):
        return None
    return (
        f"{folder}: a path of at most {MAX_FOLDER_BYTES} bytes leaves room for sockets. Set CONFLICTO_WORKERS_DIR to a shorter one."
    )


def _shared_folder_error(folder: Path) -> str | None:
    if not is_of_this_account(folder):
        return f"{folder} belongs to another user. Set CONFLICTO_WORKERS_DIR to a folder of the user that runs this server."
    if is_open_to_others(folder):
        return f"{folder} is open to other users. Run `chmod 700 {folder}`, or set CONFLICTO_WORKERS_DIR to another folder."
    return None


def _directory_error(folder: Path, use: str, setting: str, *, mode: int = 0o777) -> str | None:
    """Create a directory, and return why it is not writable and what to do, None if it is."""
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, MIN_FREE_BYTES)
    except OSError as error:
        return f"{folder}: {error.strerror}. {_remedy(error, use, setting)}"
    return None


def require_redis(settings: Settings) -> None:
    """Exit with 3 if REDIS_URL is invalid or names an unsupported server.

    A server that is down is accepted.
    """
    url = settings.secret("redis_url")
    if url is None:
        return
    from conflicto.platform.redis_url import RedisUrlInvalid, require_usable, server_mode  # noqa: PLC0415 - with the client

    try:
        require_usable(url)
    except RedisUrlInvalid as error:
        _exit_unusable(f"REDIS_URL {error}.")
    mode = asyncio.run(server_mode(url))
    if mode == "cluster":
        _exit_unusable(
            "REDIS_URL leads to a Redis Cluster, which is not supported. Use one server, or Sentinel: redis+sentinel://host:26379/SERVICE."
        )
    if mode == "sentinel":
        _exit_unusable(
            "REDIS_URL leads to a Sentinel. Write redis+sentinel://host:26379/SERVICE, with the service that it monitors."
        )


@contextmanager
def exclusive_database(settings: Settings) -> Iterator[None]:
    """Lock the embedded database for this process, or exit with 3 if another server has it.

    The lock ends with its process.
    """
    path = _database_file(settings)
    if path is None:
        yield
        return
    path = path.resolve()  # follow links
    lock = path.with_name(f"{path.name}.lock")
    with os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _exit_unusable(
                f"Another server (process {file.read().strip() or 'unknown'}) uses {path}. Stop it, give this one another"
                " CONFLICTO_DATA_DIR, or serve from several processes with PostgreSQL in DATABASE_URL."
            )
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield


def _database_file(settings: Settings) -> Path | None:
    """Return the file of an embedded database, or exit with 3 for one in memory."""
    if not settings.is_embedded:
        return None
    try:
        name = parse_database_url(settings.url).database
    except DatabaseUrlInvalid as error:
        _exit_unusable(str(error))
    if not name or name == IN_MEMORY:
        _exit_unusable("A database in memory is gone with its process. Write `sqlite:///path` in DATABASE_URL, or leave it out.")
    return Path(name)


def _port_error(host: str, port: int, error: OSError | OverflowError, command: str) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken by another program. Stop it, or choose another port: {command} --port {port + 1}"
    if code == errno.EACCES:
        return f"Port {port} needs the rights of root. Choose one from 1024 on, and put a proxy before it (docs/hosting.md)."
    return f"{host} is no address of this machine ({error}). Use 127.0.0.1, 0.0.0.0 for all addresses, or --lan."


def _remedy(error: OSError, use: str, setting: str) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"Free at least {MIN_FREE_BYTES // 1024} KiB there, or set {setting} to a folder with room."
    return f"{use}: make it a folder that this user may write, or set {setting}."


def _exit_unusable(sentence: str) -> NoReturn:
    err.print(sentence, markup=False)
    raise typer.Exit(EXIT_UNUSABLE)
