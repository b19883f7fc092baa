#!/usr/bin/env bash
# Finding: requests-sse 0.5.3 loses an event if the stream is cut inside it, and cut again after a
#   comment.
#
# Expected: the id of an event counts once the event is dispatched. In WHATWG HTML ("Server-sent
#   events"), an empty line sets the last event ID string, from a buffer of that stream. If a stream
#   is cut between `id: 2` and its data, the last id stays 1, whatever the next stream contains. So
#   the client requests the events after 1 until it has event 2.
# Observed: the client keeps the id that it read before the cut. The empty line after a comment in
#   the next stream makes it the last id. Many servers begin a stream with a comment. The third
#   request sends `Last-Event-ID: 2`, and event 2 never arrives. The client raises no error.
# Remedy: store the last id of received events yourself, and open a new EventSource with it.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check requests-sse==0.5.3 requests==2.34.2

"$folder/venv/bin/python" - <<'PYTHON'
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from requests_sse import EventSource

EVENTS = {1: b"id: 1\ndata: one\n\n", 2: b"id: 2\ndata: two\n\n", 3: b"id: 3\ndata: three\n\n"}
asked = []


class Server(BaseHTTPRequestHandler):
    """Sends the events after the last id.

    The first stream is cut inside event 2, the second one after a comment.
    """

    def do_GET(self):
        last = int(self.headers.get("Last-Event-ID") or 0)
        asked.append(last)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        rest = b"".join(EVENTS[each] for each in EVENTS if each > last)
        sent = rest.partition(b"data: two")[0] if len(asked) == 1 else b"" if len(asked) == 2 else rest
        self.wfile.write(b": welcome\n\n" + sent)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
came = []
with EventSource(f"http://127.0.0.1:{server.server_port}/", reconnection_time=timedelta(milliseconds=10), timeout=10) as source:
    for event in source:
        came.append(event.data)
        if event.data == "three":
            break
server.shutdown()

print(f"requests-sse 0.5.3: last ids that the client sent: {asked}; events that came: {came}")
as_observed = (asked, came) == ([0, 1, 2], ["one", "three"])
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
