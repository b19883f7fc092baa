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


BELOW = {
    "nginx/conflicto-proxy.conf": {
        "location / {": "location /live/ {",
        "location = /metrics {": "location = /live/metrics {",
    },
    "Caddyfile": {
        "@metrics path /metrics": "@metrics path /live/metrics",
        "reverse_proxy 127.0.0.1:8000": "@live path /live /live/*\nreverse_proxy @live 127.0.0.1:8000",
    },
    "apache/conflicto.conf": {
        "ProxyPass        /metrics !": "ProxyPass        /live/metrics !",
        "<Location /metrics>": "<Location /live/metrics>",
        "ProxyPass        / http://127.0.0.1:8000/ timeout=75 flushpackets=on retry=0": (
            "ProxyPass        /live http://127.0.0.1:8000/live timeout=75 flushpackets=on retry=0"
        ),
    },
    "haproxy/haproxy.cfg": {
        "http-request return status 404 if { path /metrics }": "http-request return status 404 if { path /live/metrics }",
        "default_backend conflicto": "use_backend conflicto if { path /live } || { path_beg /live/ }",
    },
    "lighttpd/conflicto.conf": {
        '$HTTP["url"] == "/metrics" { url.access-deny = ( "" ) }': '$HTTP["url"] == "/live/metrics" { url.access-deny = ( "" ) }',
        'proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => 8000, "read-timeout" => 75 ) ) )': (
            '$HTTP["url"] =~ "^/live(/|$)" { proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => 8000, "read-timeout" => 75 ) ) ) }'
        ),
    },
}  # fmt: skip
"""Lines that the head of each file names for a server below `/live`."""


def ours(name: str, *, below: bool) -> str:
    """Return one of our files, or its variant below a path prefix as its header describes."""
    written = (DEPLOY / name).read_text(encoding="utf-8")
    for line, instead in BELOW[name].items() if below else ():
        comments = [each.lstrip("#").strip() for each in written.splitlines() if each.startswith("#")]
        assert set(instead.splitlines()) <= set(comments), f"{name} does not say {instead}"
        before, found, after = written.rpartition(line)
        assert found, line
        written = before + instead + after
    return written


def _nginx(folder: Path, port: int, upstream: int, *, below: bool = False) -> list[str]:
    config, proxied = folder / "nginx.conf", folder / "proxy.conf"
    proxied.write_text(ours("nginx/conflicto-proxy.conf", below=below))
    config.write_text(NGINX.format(folder=folder, port=port, upstream=upstream, proxied=proxied))
    return [program("nginx"), "-p", str(folder), "-c", str(config), "-e", str(folder / "nginx.err")]


def _caddy(folder: Path, port: int, upstream: int, *, below: bool = False) -> list[str]:
    site = f"\nhttp://:{port} {{\n\tbind 127.0.0.1"
    written = _file("Caddyfile", upstream, below=below).replace("\nlive.example.org {", site)
    config = folder / "Caddyfile"
    config.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + written)
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


def _file(name: str, upstream: int, *, below: bool) -> str:
    """Return one of our files with the test's upstream."""
    written = ours(name, below=below)
    assert "127.0.0.1:8000" in written or '"port" => 8000' in written
    return written.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}").replace('"port" => 8000', f'"port" => {upstream}')


def _apache(folder: Path, port: int, upstream: int, *, below: bool = False) -> list[str]:
    loaded = "\n".join(f"LoadModule {name}_module {APACHE_FOLDER}/mod_{name}.so" for name in APACHE_MODULES)
    config = folder / "apache.conf"
    config.write_text(
        APACHE.format(folder=folder, port=port, modules=loaded) + _file("apache/conflicto.conf", upstream, below=below)
    )
    return [program("apache2"), "-X", "-f", str(config)]


def _haproxy(folder: Path, port: int, upstream: int, *, below: bool = False) -> list[str]:
    written = _file("haproxy/haproxy.cfg", upstream, below=below)
    tls = "bind :443 ssl crt /etc/haproxy/live.example.org.pem alpn h2,http/1.1"
    assert tls in written
    compressed = f"bind 127.0.0.1:{port}\n    compression algo gzip\n    compression type application/json"
    config = folder / "haproxy.cfg"
    config.write_text(written.replace(tls, compressed).replace("maxconn 50000", "maxconn 500"))
    return [program("haproxy"), "-db", "-f", str(config)]


def lighttpd(folder: Path, port: int, upstream: int, *, is_buffering: bool = False, below: bool = False) -> list[str]:
    """Return the command of a lighttpd with our file, or with its default buffering."""
    written = _file("lighttpd/conflicto.conf", upstream, below=below)
    stream = "server.stream-response-body = 2\n"
    assert stream in written
    config = folder / "lighttpd.conf"
    own = f'server.bind = "127.0.0.1"\nserver.port = {port}\nserver.document-root = "{folder}"\nserver.errorlog = "{folder}/err"\n'
    packed = f'server.modules += ("mod_deflate")\ndeflate.mimetypes = ("application/json")\nserver.upload-dirs = ("{folder}")\n'
    config.write_text(own + (written.replace(stream, "") if is_buffering else written) + packed)
    return [program("lighttpd"), "-D", "-f", str(config)]


PROXIES = {"nginx": _nginx, "caddy": _caddy, "apache": _apache, "haproxy": _haproxy, "lighttpd": lighttpd}
BINARIES = {"apache": "apache2"}


@contextmanager
def running(command: list[str], folder: Path, port: int, path: str = "") -> Iterator[None]:
    """Run a proxy until the block ends.

    It is ready once it passes on the server's liveness.
    """
    homes = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | homes, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx2.get(f"http://127.0.0.1:{port}{path}/health/live", **PLAIN).raise_for_status()
                break
            except httpx2.TransportError:
                assert process.poll() is None, (folder / "proxy.log").read_text()
                assert time.monotonic() < end
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
