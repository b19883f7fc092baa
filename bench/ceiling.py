"""The ceiling: the least that nginx can be asked to do. One worker, one constant answer, no log."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
"""Debian keeps it where only root looks."""

PIECE = 2048
"""nginx takes no longer word than 4 KiB in its configuration, so a large body is put together of pieces."""

CONFIG = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  keepalive_requests 1000000000;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port};
    set $piece "{piece}";
    location / {{ return {answer}; }}
  }}
}}
"""


@contextmanager
def nginx(*, status: int, size: int, folder: Path) -> Iterator[servers.Server]:
    """Serve one constant answer. `master_process off` makes the process that is started the one worker."""
    if PROGRAM is None:
        raise servers.BenchFailed("nginx is not installed")
    config = folder / f"nginx-{status}-{size}.conf"

    def command(port: int) -> list[str]:
        config.write_text(
            CONFIG.format(folder=folder, port=port, piece="x" * PIECE, answer=_answer(status, size)), encoding="ascii"
        )
        return [str(PROGRAM), "-p", str(folder), "-c", str(config), "-e", str(folder / "nginx.err")]

    with servers.running("nginx", command, dict(os.environ), log=folder / "nginx.log") as server:
        yield server


def _answer(status: int, size: int) -> str:
    pieces, rest = divmod(size, PIECE)
    return f'{status} "{"${piece}" * pieces}{"x" * rest}"' if size else str(status)
