#!/usr/bin/env bash
# Finding: httpx-sse 0.4.3 hands on a comment as an event without data once an event had an id, and a lone `retry:` always.
#
# Expected: an empty line dispatches nothing while the data buffer is empty (WHATWG HTML, "Server-sent events", dispatch step 2). Comments that
#   keep a connection alive, and blocks that hold only `retry:` or `id:`, are no events, as in browsers and in the npm package eventsource.
# Observed: three events with data "" for a `retry:`, a comment and an `id:`; before the first id the same comment is none. A loop that
#   parses each event's data as JSON works until the first comment that follows an event with an id.
# Remedy: leave out events whose data is empty.
# Exit code 0: as observed on 2026-11-29; 1: it changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check httpx-sse==0.4.3 httpx==0.28.1

"$folder/venv/bin/python" - <<'PYTHON'
import sys

import httpx
from httpx_sse import connect_sse

STREAM = b": before any id\n\nretry: 3000\n\nid: 1\ndata: one\n\n: alive\n\nid: 2\n\nid: 3\ndata: three\n\n"

transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, content=STREAM))
with httpx.Client(transport=transport) as client, connect_sse(client, "GET", "http://stream.test/") as source:
    came = [(event.data, event.id, event.retry) for event in source.iter_sse()]

print(f"httpx-sse 0.4.3: data, id and retry of each event: {came}")
as_observed = came == [("", "", 3000), ("one", "1", None), ("", "1", None), ("", "2", None), ("three", "3", None)]
print("as observed" if as_observed else "CHANGED")
sys.exit(not as_observed)
PYTHON
