"""A bad network between a client and a server: changed, lost and rate-limited responses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2

from tests.support.patience import PATIENCE_S
from tests.support.processes import PLAIN

PASSED_ON = ("authorization", "content-type", "idempotency-key")

Meddle = Callable[[str, str, int, bytes], tuple[int, bytes] | None]
"""Maps (method, path, status, body) of the real response to the client's response. None: the
connection is cut."""


@contextmanager
def meddling(url: str, meddle: Meddle) -> Iterator[str]:
    """Yield the URL of a proxy in front of `url`."""
    upstream = httpx2.Client(base_url=url, timeout=PATIENCE_S, **PLAIN)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            answer = upstream.request(self.command, self.path, content=body, headers=headers)
            replaced = meddle(self.command, self.path, answer.status_code, answer.content)
            if replaced is None:
                self.close_connection = True
                return
            status, content = replaced
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            if status == 503:
                self.send_header("retry-after", "0")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        upstream.close()
