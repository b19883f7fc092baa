"""Floor of the comparison: uvicorn with one constant response.

It has no router, token, limit or metrics.
"""

from __future__ import annotations

import os
from typing import Any

STATUS = int(os.environ.get("FLOOR_STATUS", "200"))
BODY = b"x" * int(os.environ.get("FLOOR_BYTES", "0"))
HEADERS = [] if STATUS == 304 else [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401, ARG001 - ASGI
    """Send the same response to every request."""
    await send({"type": "http.response.start", "status": STATUS, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
