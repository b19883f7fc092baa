"""The command: a server on loopback with data of its own, which are removed at the end."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from conflicto.access.identity import load_identity
from conflicto.cli.dev.folder_reload import FolderReload
from conflicto.cli.dev.server import FOLDER_VARIABLE, HOST, PAGE, PORT_VARIABLE
from conflicto.cli.environment import prepared_database, settings_or_exit
from conflicto.cli.preflight import exclusive_database, require_data_directory, require_port
from conflicto.platform.ids import opaque_secret

MAX_SHUTDOWN_S = 2
"""Seconds for which open requests may end before the server starts again."""

OURS = ("CONFLICTO_", "DATABASE_", "REDIS_")

err = Console(stderr=True, highlight=False, soft_wrap=True)


def dev(
    folder: Annotated[Path, typer.Argument(help="The type's folder.", exists=True, file_okay=False)],
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 8100,
) -> None:
    """Show a type on phone, screen, editor, host page and report while you write it.

    Scripted participants answer its examples. Each save loads the folder again, and faults stand on
    top with file and line. Only this machine reaches the server, and its data are removed.
    """
    require_port(HOST, port, f"conflicto types dev {folder}")
    with tempfile.TemporaryDirectory(prefix="conflicto-dev-") as data:
        _set_environment(folder.resolve(), Path(data), port)
        settings = settings_or_exit()
        require_data_directory(settings)
        with exclusive_database(settings):
            with prepared_database(settings) as db:
                load_identity(db, data_dir=settings.data_dir, secret_key=None, admin_token=settings.secret("admin_token"))
            err.print(f"Open [bold]http://{HOST}:{port}{PAGE}[/bold] and save files in {folder}. Ctrl-C ends.")
            _serve(folder.resolve(), port)


def _set_environment(folder: Path, data: Path, port: int) -> None:
    """Set the variables of the server's processes, without those of the operator."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ |= {
        "CONFLICTO_DATA_DIR": str(data),
        "CONFLICTO_ADMIN_TOKEN": opaque_secret(),
        "CONFLICTO_RATE_LIMITS": "off",
        "CONFLICTO_ACTIVITY_TYPES": str(folder),
        FOLDER_VARIABLE: str(folder),
        PORT_VARIABLE: str(port),
    }


def _serve(folder: Path, port: int) -> None:
    """Serve by ASGI alone: the server's own connections would pass the changed headers by."""
    config = uvicorn.Config(
        "conflicto.cli.dev.server:application", factory=True, host=HOST, port=port, loop="uvloop", http="httptools", ws="none",
        lifespan="on", access_log=False, log_level="warning", log_config=None, server_header=False,
        timeout_graceful_shutdown=MAX_SHUTDOWN_S, proxy_headers=False,
    )  # fmt: skip
    socket = config.bind_socket()
    socket.listen()  # at once, so that a browser waits for the first process as for later ones
    FolderReload(config, uvicorn.Server(config).run, [socket], folder).run()
