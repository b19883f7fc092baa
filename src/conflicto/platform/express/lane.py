"""The lane: a request that is plainly a poll, and the ready answer to it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.express.passes import Pass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conflicto.platform.clock import Clock
    from conflicto.platform.express.ready import Ready
    from conflicto.platform.express.shelf import Shelf
    from conflicto.platform.http.messages import Header
    from conflicto.platform.limits.bucket import Bucket
    from conflicto.platform.limits.memory import MemoryLimiter

MOST_PASSES = 100_000
"""Tokens whose passes are kept; when full, the oldest are forgotten and admitted again."""

MOST_REMEMBERED = 25_000
"""Requests of each of the two generations that are remembered by their bytes: a full room of phones."""

PASS_BYTES = 1_200
REQUEST_BYTES = 500
"""Of a pass without its token, its caller included; of a request without its bytes."""

REQUESTS_SHARE = 0.1
PASSES_SHARE = 0.1
"""Of the budget of all caches."""

PARTS = 8
"""One of so many parts of the passes is forgotten at once."""

LONGEST_REQUEST = 2_048
"""Bytes; longer ones are parsed every time."""

PRESENT_S = 1.0
"""How often one bearer is noted as present."""

AUTHORIZATION = b"authorization"
IF_NONE_MATCH = b"if-none-match"

NOT_PLAIN = frozenset(
    {
        b"accept", b"connection", b"content-length", b"cookie", b"expect", b"if-match", b"if-modified-since", b"if-range",
        b"if-unmodified-since", b"origin", b"prefer", b"range", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
"""Headers that may ask for something else; each of them is looked at where it is understood."""

PLAIN_VALUES = frozenset(
    {
        (b"accept", b"*/*"), (b"accept", b"application/json"), (b"accept", b"application/json, text/plain, */*"),
        (b"connection", b"keep-alive"), (b"te", b"trailers"),
    }
)  # fmt: skip
"""What fetch, curl and the usual libraries say without meaning anything by it."""


class Asked:
    """A plain poll, understood: what it asks of which answers, with whose pass and bucket."""

    __slots__ = ("answers", "bucket", "if_none_match", "opened", "target")

    def __init__(self, opened: Pass, target: bytes, if_none_match: bytes | None, bucket: Bucket) -> None:
        self.opened = opened
        self.answers = opened.shelf.answers
        self.target = target
        self.if_none_match = if_none_match
        self.bucket = bucket


class Lane:
    """All passes of one process, and the requests that were understood before. The event loop's alone."""

    def __init__(
        self, clock: Clock, limiter: MemoryLimiter, on_caller: Callable[[Any], None], budget: CacheBudget | None = None
    ) -> None:
        budget = budget or CacheBudget()
        self._requests = budget.account("requests", share=REQUESTS_SHARE, evict=self._forget_requests)
        self._pass_bytes = budget.account("passes", share=PASSES_SHARE, evict=self._forget_passes)
        self._young_bytes = 0
        self.now_s = clock.monotonic_s
        self.young: dict[bytes, Asked] = {}
        self.aged: dict[bytes, Asked] = {}
        self._limiter = limiter
        self._on_caller = on_caller
        self._passes: dict[bytes, Pass] = {}

    def admit(self, authorization: bytes, caller: Any, shelf: Shelf, *, life_s: float) -> None:  # noqa: ANN401 - the access room's
        """Give the bearer of a header value a pass, unless they have one that is good."""
        now_s = self.now_s()
        known = self._passes.get(authorization)
        if known is not None and known.until_s > now_s and known.shelf is shelf:
            return
        if len(authorization) > LONGEST_REQUEST:
            return
        self._forget_pass(authorization)
        if len(self._passes) >= MOST_PASSES:
            self._forget_passes()
        self._passes[authorization] = Pass(caller, shelf, now_s=now_s, life_s=life_s, limiter=self._limiter)
        self._pass_bytes.change(PASS_BYTES + len(authorization))

    def understand(self, target: bytes, headers: Sequence[Header]) -> tuple[Asked, Ready] | None:
        """Return a plain GET as what it asks for, with the answer if there is one ready that may be given."""
        authorization: bytes | None = None
        if_none_match: bytes | None = None
        for header in headers:
            name = header[0]
            if name == AUTHORIZATION and authorization is None:
                authorization = header[1]
            elif name == IF_NONE_MATCH and if_none_match is None:
                if_none_match = header[1]
            elif (name in NOT_PLAIN and header not in PLAIN_VALUES) or name in {AUTHORIZATION, IF_NONE_MATCH}:
                return None
        opened = self._passes.get(authorization or b"")
        if opened is None:
            return None
        ready = opened.shelf.answers.get(target)
        if ready is None:
            return None
        asked = Asked(opened, target, if_none_match, opened.bucket(ready.policy))
        return (asked, ready) if self.take(asked) is ready else None

    def take(self, asked: Asked) -> Ready | None:
        """Return the answer that may be given now, and spend for it; None: take the whole way, nothing was spent."""
        ready = asked.answers.get(asked.target)
        if ready is None:
            return None
        now_s, opened = self.now_s(), asked.opened
        if now_s >= opened.until_s or now_s >= ready.until_s:
            return None
        if ready.guard is not None and not ready.guard.admits(opened.bearer):
            return None
        if not asked.bucket.take(now_s):
            return None
        if now_s - opened.seen_s >= PRESENT_S:
            opened.seen_s = now_s
            self._on_caller(opened.caller)
        return ready

    def remember(self, request: bytes, asked: Asked) -> None:
        """Keep what these bytes, received whole on a connection without an open request, mean: the same bytes mean the same again."""
        if len(request) <= LONGEST_REQUEST:
            if len(self.young) >= MOST_REMEMBERED:
                self._forget_requests()
            self._keep_young(request, asked)

    def recall(self, request: bytes) -> Asked | None:
        """Return what these bytes mean, if that is remembered."""
        asked = self.young.get(request)
        if asked is None:
            asked = self.aged.pop(request, None)
            if asked is not None:
                self._requests.change(-REQUEST_BYTES - len(request))
                self._keep_young(request, asked)
        return asked

    def _keep_young(self, request: bytes, asked: Asked) -> None:
        if request not in self.young:
            size = REQUEST_BYTES + len(request)
            self._young_bytes += size
            self.young[request] = asked
            self._requests.change(size)
        else:
            self.young[request] = asked

    def _forget_requests(self) -> bool:
        """Forget the older generation; the younger one becomes the older."""
        forgotten = self._requests.bytes - self._young_bytes
        self.aged, self.young = self.young, {}
        self._young_bytes = 0
        self._requests.change(-forgotten)
        return bool(forgotten or self.aged)

    def _forget_passes(self) -> bool:
        """End the passes that were given first, some at once; whoever may still come in gets a new one on the whole way."""
        oldest = list(islice(self._passes, max(1, len(self._passes) // PARTS))) if self._passes else []
        for authorization in oldest:
            self._forget_pass(authorization)
        return bool(oldest)

    def _forget_pass(self, authorization: bytes) -> None:
        opened = self._passes.pop(authorization, None)
        if opened is not None:
            opened.end()
            opened.shelf.forget(opened)
            self._pass_bytes.change(-PASS_BYTES - len(authorization))
