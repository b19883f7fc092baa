"""Peer of the fan-out: nginx with the module nchan, one worker, which publishes to streams."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench import servers
from bench.ceiling import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
"""Place of the module in Debian's package `libnginx-mod-nchan`."""

STREAM, PUBLISH = "/stream", "/publish"
REQUEST = f"GET {STREAM} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n".encode()
"""Request for a stream. The module takes only the first `Accept` field."""

CONFIG = """load_module {module};
daemon off;
master_process off;
pid {folder}/nchan.pid;
error_log {folder}/nchan.err;
events {{ worker_connections 30000; }}
http {{
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = {stream} {{
      nchan_subscriber eventsource;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }}
    location = {publish} {{
      nchan_publisher;
      nchan_channel_id bench;
    }}
  }}
}}
"""


def is_installed() -> bool:
    """Return whether nginx and the module are there."""
    return PROGRAM is not None and MODULE.exists()


@contextmanager
def nchan(folder: Path) -> Iterator[servers.Server]:
    """Serve one channel. With `master_process off` the started process is the only worker."""
    config = folder / "nchan.conf"

    def command(port: int) -> list[str]:
        text = CONFIG.format(module=MODULE, folder=folder, port=port, stream=STREAM, publish=PUBLISH)
        config.write_text(text, encoding="ascii")
        return [str(PROGRAM), "-p", str(folder), "-c", str(config), "-e", str(folder / "nchan.err")]

    with servers.running("nchan", command, dict(os.environ), log=folder / "nchan.log") as server:
        yield server
