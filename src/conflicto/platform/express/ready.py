"""A ready answer: its headers, its body, and both of its forms as they go over the wire."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from conflicto.platform.http.conditions import holds
from conflicto.platform.http.messages import JSON_HEADER, SAFE_HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.platform.http.messages import Header
    from conflicto.platform.limits.bucket import Policy
    from conflicto.platform.metrics.counting import Tally

FULL = 0
UNCHANGED = 1

MAX_KEPT_MESSAGE_BYTES = 64 * 1024
"""A longer message is put together each time it is sent: copying it takes microseconds, keeping it doubles the bytes."""

READY_BYTES = 5_000
"""Of an answer beside its body: headers, and both messages without it."""

_STATUS_LINES = (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 Not Modified\r\n")


class Guard:
    """Whom an answer that many share is good for: those whose newest change lies from `least` to `most`.

    `newest` is somebody else's table of the newest change by bearer, read and never written here; bearers who are not in it count as
    `otherwise`.
    """

    __slots__ = ("least", "most", "newest", "otherwise")

    def __init__(self, newest: Mapping[int, int], *, least: int, most: int, otherwise: int) -> None:
        self.newest = newest
        self.least = least
        self.most = most
        self.otherwise = otherwise

    def admits(self, bearer: int) -> bool:
        """Whether the answer is good for this bearer now."""
        return self.least <= self.newest.get(bearer, self.otherwise) <= self.most


@dataclass(frozen=True, slots=True)
class Terms:
    """Until when on the monotonic clock an answer made at `made_s` may be given, and to whom.

    `is_empty`: it tells that there is nothing to tell.
    """

    until_s: float = inf
    made_s: float = 0.0
    guard: Guard | None = None
    is_empty: bool = False


class Ready:
    """One answer, 200 with a body or 304 without, for everyone who may take from its shelf. `tag` names the body."""

    __slots__ = ("_dated", "_lines", "body", "guard", "headers", "is_empty", "made_s", "policy", "tag", "tally", "until_s")

    def __init__(self, body: bytes, headers: tuple[Header, ...], *, tag: bytes, policy: Policy, tally: Tally, terms: Terms) -> None:
        self.body = body
        self.tag = tag
        self.policy = policy
        self.tally = tally
        self.until_s = terms.until_s
        self.guard = terms.guard
        self.is_empty = terms.is_empty
        common = (*headers, *SAFE_HEADERS)
        self.headers: tuple[tuple[Header, ...], ...] = (
            (JSON_HEADER, *common, (b"content-length", b"%d" % len(body))),
            common,
        )
        self.made_s = terms.made_s
        self._lines: list[bytes | None] = [None, None]
        self._dated: list[tuple[bytes, bytes]] = [(b"", b""), (b"", b"")]

    def form(self, if_none_match: bytes | None) -> int:
        """Return `UNCHANGED` if the condition names the tag, else `FULL`."""
        if if_none_match is None:
            return FULL
        if if_none_match == self.tag or holds(if_none_match.decode("latin-1"), self.tag):
            return UNCHANGED
        return FULL

    def wire(self, form: int, date: bytes) -> bytes:
        """Return the whole message; `date` is a finished header line, the same object for a whole second."""
        dated, message = self._dated[form]
        if dated is not date:
            message = b"%b%b%b\r\n%b" % (_STATUS_LINES[form], date, self._header_lines(form), self.body if form == FULL else b"")
            if len(message) <= MAX_KEPT_MESSAGE_BYTES:
                self._dated[form] = date, message
        return message

    @property
    def size(self) -> int:
        """Bytes that it holds, and will hold once it was sent."""
        return READY_BYTES + len(self.body) * (2 if len(self.body) <= MAX_KEPT_MESSAGE_BYTES else 1)

    def _header_lines(self, form: int) -> bytes:
        lines = self._lines[form]
        if lines is None:
            lines = self._lines[form] = b"".join(b"%b: %b\r\n" % header for header in self.headers[form])
        return lines
