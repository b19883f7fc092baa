"""Real proxies in front of a server, each with our own file for it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.deploy.programs import DEPLOY, program
from tests.support.processes import PLAIN

PATIENCE_S = 20.0

NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream conflicto {{ server 127.0.0.1:{upstream}; keepalive 16; }}
  server {{ listen 127.0.0.1:{port}; include {proxied}; }}
}}
"""


def _nginx(folder: Path, port: int, upstream: int) -> list[str]:
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, upstream=upstream, proxied=DEPLOY / "nginx/conflicto-proxy.conf"))
    return [program("nginx"), "-p", str(folder), "-c", str(config), "-e", str(folder / "nginx.err")]


def _caddy(folder: Path, port: int, upstream: int) -> list[str]:
    written = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    site = f"http://:{port} {{\n\tbind 127.0.0.1"
    ours = written.replace("live.example.org {", site).replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    config = folder / "Caddyfile"
    config.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + ours)
    return [program("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]


PROXIES = {"nginx": _nginx, "caddy": _caddy}


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """Run a proxy until the block ends; it is there once it passes on that the server lives."""
    homes = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | homes, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/health/live", **PLAIN).raise_for_status()
                break
            except httpx2.TransportError:
                assert process.poll() is None, (folder / "proxy.log").read_text()
                assert time.monotonic() < end
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
