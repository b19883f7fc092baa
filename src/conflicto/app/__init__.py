"""Composition root: builds the services of a process by layer and connects them.

`build.py` creates them, `subscriptions.py` lists who follows which events, `lifespan.py` runs them,
and `asgi.py` is the application that a server calls.
"""

from __future__ import annotations

from conflicto.app.asgi import App, from_environment

__all__ = ["App", "from_environment"]
