#!/usr/bin/env bash
# Finding: httpx-sse 0.4.3 yields comments as events without data, once an event has had an id.
#   It yields a block with only `retry:` as an event in any case.
#
# Expected: an empty line dispatches no event while the data buffer is empty (WHATWG HTML,
#   "Server-sent events", dispatch step 2). Keep-alive comments, and blocks with only `retry:` or
#   `id:`, are not events. Browsers and the npm package eventsource behave this way.
# Observed: a `retry:`, a comment and an `id:` yield three events with data "". Before the first id,
#   the same comment yields no event. A loop that parses the data of each event as JSON fails at the
#   first comment after an event with an id.
# Remedy: ignore events with empty data.
# Exit code: 0 if the behaviour is as observed on 2026-11-29, 1 if it changed.
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
