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


APACHE = """ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/err
Mutex file:{folder}
Listen 127.0.0.1:{port}
{modules}
StartServers 1
ThreadsPerChild 64
AddOutputFilterByType DEFLATE application/json
"""
APACHE_MODULES = ("mpm_event", "authz_core", "deflate", "filter", "headers", "proxy", "proxy_http")
APACHE_FOLDER = Path("/usr/lib/apache2/modules")


def _file(name: str, upstream: int) -> str:
    """Return a file of ours with the upstream of a test."""
    written = (DEPLOY / name).read_text(encoding="utf-8")
    assert "127.0.0.1:8000" in written or '"port" => 8000' in written
    return written.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}").replace('"port" => 8000', f'"port" => {upstream}')


def _apache(folder: Path, port: int, upstream: int) -> list[str]:
    loaded = "\n".join(f"LoadModule {name}_module {APACHE_FOLDER}/mod_{name}.so" for name in APACHE_MODULES)
    config = folder / "apache.conf"
    config.write_text(APACHE.format(folder=folder, port=port, modules=loaded) + _file("apache/conflicto.conf", upstream))
    return [program("apache2"), "-X", "-f", str(config)]


def _haproxy(folder: Path, port: int, upstream: int) -> list[str]:
    ours = _file("haproxy/haproxy.cfg", upstream)
    tls = "bind :443 ssl crt /etc/haproxy/live.example.org.pem alpn h2,http/1.1"
    assert tls in ours
    compressed = f"bind 127.0.0.1:{port}\n    compression algo gzip\n    compression type application/json"
    config = folder / "haproxy.cfg"
    config.write_text(ours.replace(tls, compressed).replace("maxconn 50000", "maxconn 500"))
    return [program("haproxy"), "-db", "-f", str(config)]


def lighttpd(folder: Path, port: int, upstream: int, *, is_buffering: bool = False) -> list[str]:
    """Return the command of a lighttpd with our file, or with one that lets it buffer streams as it does by itself."""
    ours = _file("lighttpd/conflicto.conf", upstream)
    stream = "server.stream-response-body = 2\n"
    assert stream in ours
    config = folder / "lighttpd.conf"
    own = f'server.bind = "127.0.0.1"\nserver.port = {port}\nserver.document-root = "{folder}"\nserver.errorlog = "{folder}/err"\n'
    packed = f'server.modules += ("mod_deflate")\ndeflate.mimetypes = ("application/json")\nserver.upload-dirs = ("{folder}")\n'
    config.write_text(own + (ours.replace(stream, "") if is_buffering else ours) + packed)
    return [program("lighttpd"), "-D", "-f", str(config)]


PROXIES = {"nginx": _nginx, "caddy": _caddy, "apache": _apache, "haproxy": _haproxy, "lighttpd": lighttpd}
BINARIES = {"apache": "apache2"}


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
