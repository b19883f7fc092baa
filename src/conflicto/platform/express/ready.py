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
    """Until when on the monotonic clock an answer may be given, and to whom. `is_empty`: it tells that there is nothing to tell."""

    until_s: float = inf
    guard: Guard | None = None
    is_empty: bool = False


class Ready:
    """One answer, 200 with a body or 304 without, for everyone who may take from its shelf. `tag` names the body."""

    __slots__ = ("_dated", "_encoded", "body", "guard", "headers", "is_empty", "policy", "tag", "tally", "until_s")

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
        self._encoded: list[bytes | None] = [None, None]
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
            message = _STATUS_LINES[form] + date + self._rest(form)
            self._dated[form] = date, message
        return message

    def _rest(self, form: int) -> bytes:
        encoded = self._encoded[form]
        if encoded is None:
            lines = b"".join(b"%b: %b\r\n" % header for header in self.headers[form])
            encoded = self._encoded[form] = lines + b"\r\n" + (self.body if form == FULL else b"")
        return encoded
