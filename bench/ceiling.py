"""Ceiling of the comparison: nginx with one worker, one constant response and no log."""

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
"""Debian installs nginx in a directory of root's path."""

PIECE = 2048
"""Bytes of one piece of a large body. A word in the configuration of nginx has at most 4 KiB."""

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
    """Serve one constant response.

    With `master_process off` the started process is the only worker.
    """
    if PROGRAM is None:
        raise servers.BenchmarkError("nginx is not installed")
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
