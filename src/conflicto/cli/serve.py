"""`conflicto serve`: prepares the installation and starts the workers."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import segno
import typer
import uvicorn
from rich.console import Console

from conflicto.access.identity import ADMIN_FILE, Identity, load_identity, write_admin_token
from conflicto.cli.environment import EXIT_UNUSABLE, prepared_database, settings_or_exit, wait_for_database
from conflicto.cli.preflight import (
    exclusive_database,
    require_data_directory,
    require_export_directory,
    require_port,
    require_redis,
    require_workers_directory,
)
from conflicto.platform.db.dialects.dialect import ConnectionLimit
from conflicto.platform.db.engine import MIN_CONNECTIONS, Database, PoolSize
from conflicto.platform.logs import configure_logs
from conflicto.platform.peers.sockets import fits
from conflicto.platform.shutdown import MAX_REQUESTS_S
from conflicto.settings import Settings, deprecated_variables, unknown_variables

CONNECTION = "conflicto.platform.http.server.fast_path:Connection"
"""By name, because worker processes import it again."""

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - only where `--lan` or `--host` says so

PROBE_ADDRESS = ("192.0.2.1", 9)
"""A documentation address (RFC 5737). Nothing is sent there; it shows which local address routes
out."""

EXPORT_CONNECTIONS = 1
"""Connections of a worker outside its pool: one export runs at a time, on its own connection."""

err = Console(stderr=True, highlight=False, soft_wrap=True)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    lan: Annotated[bool, typer.Option("--lan", help="Listen on all addresses, and show phones in this network the way.")] = False,  # noqa: FBT002 - a flag
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[
        int, typer.Option(help="Processes; more than one needs PostgreSQL.", min=1, max=256, envvar="CONFLICTO_WORKERS")
    ] = 1,
    database_url: Annotated[str | None, typer.Option(help="Instead of DATABASE_URL.")] = None,
) -> None:
    """Serve sessions over HTTP."""
    if database_url is not None:
        os.environ["DATABASE_URL"] = database_url
    if lan:
        host = ALL_ADDRESSES
        os.environ["CONFLICTO_PUBLIC_URL"] = os.environ.get("CONFLICTO_PUBLIC_URL") or f"http://{address_in_network()}:{port}"
    os.environ["CONFLICTO_WORKERS"] = str(workers)
    settings = settings_or_exit()
    if settings.is_embedded and workers > 1:
        err.print("SQLite has one writer, so it serves from one process. Use --workers 1, or PostgreSQL in DATABASE_URL.")
        raise typer.Exit(2)
    require_port(host, port)
    require_data_directory(settings)
    require_export_directory(settings)
    require_workers_directory(settings)
    require_redis(settings)
    with exclusive_database(settings):
        _serve(host, port, settings)


def _serve(host: str, port: int, settings: Settings) -> None:
    configure_logs(json=settings.has_json_logs(at_terminal=err.is_terminal))
    for old, new in deprecated_variables(os.environ).items():
        err.print(f"The environment variable {old} is deprecated and is read until version 1.0. Use {new} instead.")
    for name in unknown_variables(os.environ):
        err.print(f"The environment variable {name} is not a setting of this version; see docs/settings.md.")
    wait_for_database(settings, host, port)
    with prepared_database(settings) as db:
        _limit_pool(db, settings)
        identity = load_identity(
            db, data_dir=settings.data_dir, secret_key=settings.secret("secret_key"), admin_token=settings.secret("admin_token")
        )
    _print_addresses(host, port, settings, identity)
    with _shared_directories(settings):
        uvicorn.run(
            "conflicto.app:from_environment", factory=True, host=host, port=port, workers=settings.workers, loop="uvloop", http=CONNECTION,
            ws="none", lifespan="on", access_log=False, log_level="warning", log_config=None, server_header=False,
            timeout_graceful_shutdown=MAX_REQUESTS_S, backlog=4096, proxy_headers=False,
        )  # fmt: skip


@contextmanager
def _shared_directories(settings: Settings) -> Iterator[None]:
    """Yield with directories for the workers' common metrics and for their sockets.

    They are removed afterwards.
    """
    given = {"CONFLICTO_METRICS_DIR": settings.metrics_dir, "CONFLICTO_WORKERS_DIR": settings.workers_dir}
    with ExitStack() as folders:
        for name, folder in given.items():
            if settings.workers > 1 and folder is None:
                made = tempfile.TemporaryDirectory(prefix="conflicto-workers-", dir=_parent_directory())
                os.environ[name] = folders.enter_context(made)
        yield


def _parent_directory() -> Path:
    """Return the folder of temporary files, or /tmp if its path leaves no room for sockets."""
    usual = Path(tempfile.gettempdir())
    return usual if fits(usual / "conflicto-workers-12345678") else Path("/tmp")  # noqa: S108 - with a new folder for us alone


def _limit_pool(db: Database, settings: Settings) -> None:
    """Lower the pool of all workers to the database's connection limit; exit if it cannot work.

    Workers read the sizes from the environment. Connections in use by others are left to them if
    the workers can still start.
    """
    server = _connection_limit(db)
    if server is None:
        return
    share = PoolSize.share(settings.pool_size, settings.max_overflow, workers=settings.workers)
    requested = settings.workers * (share.max_connections + EXPORT_CONNECTIONS)
    required = settings.workers * (MIN_CONNECTIONS + EXPORT_CONNECTIONS)
    sentence = (
        f"{settings.workers} workers may open {requested} connections (DATABASE_POOL_SIZE {settings.pool_size},"
        f" DATABASE_MAX_OVERFLOW {settings.max_overflow}, exports {settings.workers * EXPORT_CONNECTIONS}),"
        f" and {server.source} allows {server.max_connections} in all, of which {server.used} are taken now"
    )
    if required > server.max_connections:
        err.print(f"{sentence}. At least {required} are needed: raise {server.source}, or lower --workers.")
        raise typer.Exit(EXIT_UNUSABLE)
    fitting = max(required, min(requested, server.max_connections - server.used))
    if fitting < requested:
        size, overflow = _fitting_sizes(fitting - settings.workers * EXPORT_CONNECTIONS, settings)
        os.environ["DATABASE_POOL_SIZE"], os.environ["DATABASE_MAX_OVERFLOW"] = str(size), str(overflow)
        err.print(f"{sentence}. The pool is lowered to DATABASE_POOL_SIZE {size}, DATABASE_MAX_OVERFLOW {overflow}.")


def _connection_limit(db: Database) -> ConnectionLimit | None:
    """Return the connection limit, None for a file or behind a pooler."""
    if db.dialect.server is None:
        return None
    with db.writer_connection() as connection:
        return db.dialect.server.connection_limit(connection)


def _fitting_sizes(connections: int, settings: Settings) -> tuple[int, int]:
    """Return pool size and overflow whose shares of all workers total at most `connections`."""
    each = connections // settings.workers
    size = max(MIN_CONNECTIONS, min(settings.pool_size // settings.workers, each))
    overflow = min(settings.max_overflow // settings.workers, each - size)
    return size * settings.workers, max(0, overflow) * settings.workers


def address_in_network() -> str:
    """Return this machine's address in the local network, without one the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(PROBE_ADDRESS)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
    return address


def _print_addresses(host: str, port: int, settings: Settings, identity: Identity) -> None:
    """Print the server's URLs; the admin token is in the fragment, which browsers never send."""
    at = f"http://{'127.0.0.1' if host == ALL_ADDRESSES else host}:{port}"
    err.print(f"[bold]Conflicto[/bold] serves on {at}")
    if err.is_terminal and identity.admin_token:
        err.print(f"Host URL:  [bold]{at}/#admin={identity.admin_token}[/bold]")
        if settings.admin_token is None:
            err.print("           Keep it: the token is stored hashed and shown only now. `conflicto token admin` makes a new one.")
    else:
        err.print(f"Host URL:  {at}/#admin=…   ({_token_location(settings, identity)})", markup=False)
    if settings.public_url:
        err.print(f"Phones:    [bold]{settings.public_url}[/bold]")
        if err.is_terminal:
            segno.make(settings.public_url, micro=False).terminal(out=sys.stderr, compact=True)


def _token_location(settings: Settings, identity: Identity) -> str:
    """Return where the operator finds the token, which must not be logged.

    A new token is stored there.
    """
    path = settings.data_dir.absolute() / ADMIN_FILE
    if settings.admin_token is not None:
        return "the token is the one in CONFLICTO_ADMIN_TOKEN"
    if identity.admin_token:
        try:
            write_admin_token(settings.data_dir, identity.admin_token)
        except OSError as error:
            return f"the token could not be written to {path}: {error.strerror}. `conflicto token admin` makes a new one"
    if path.exists():
        return f"the token is in {path}. `conflicto token admin` makes a new one"
    return "the token is the one of the first start. `conflicto token admin` makes a new one"
