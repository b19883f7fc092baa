"""How a handler answers with something that may be laid ready for the next who ask the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.platform.express.ready import FULL, UNCHANGED
from conflicto.platform.http.messages import Response

if TYPE_CHECKING:
    from conflicto.platform.express.ready import Ready
    from conflicto.platform.express.shelf import Shelf
    from conflicto.platform.http.messages import Request


@dataclass(frozen=True, slots=True)
class Offer:
    """A ready answer, the form in which it is given now, and the shelf on which the next one may find it (None: on none)."""

    ready: Ready
    form: int
    shelf: Shelf | None
    follows_data: bool

    @property
    def is_stale(self) -> bool:
        """Whether the caller learns nothing from it."""
        return self.form == UNCHANGED or self.ready.is_empty


def ready_response(request: Request, ready: Ready, shelf: Shelf | None, *, follows_data: bool) -> Response:
    """Return 304 if the caller asks for what they have already, else 200 with the body; both carry the same headers."""
    condition = request.header(b"if-none-match")
    form = ready.form(None if condition is None else condition.encode("latin-1"))
    body = ready.body if form == FULL else b""
    return Response(200 if form == FULL else 304, body, ready.headers[form], Offer(ready, form, shelf, follows_data))
