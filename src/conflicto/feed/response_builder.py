"""Builder of polled responses: ETag, headers, `Poll-After`, and freshness."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from conflicto.platform.http.conditional_requests import REVALIDATE, VARY, etag_of
from conflicto.platform.http.messages import NO_STORE
from conflicto.platform.limits.headers import policy_header
from conflicto.platform.response_cache.cached_response import CachedResponse, Freshness
from conflicto.session_state.views import View
from conflicto.sessions.model import SessionStatus

if TYPE_CHECKING:
    from conflicto.feed.pages import Page
    from conflicto.feed.poll_handler import PagePlan
    from conflicto.platform.clock import Clock
    from conflicto.platform.http.messages import Header, Request
    from conflicto.platform.metrics.registry import Metrics
    from conflicto.platform.response_cache.cached_response import VisibleTo
    from conflicto.session_state.state import SessionState

POLL_AFTER_MS = 2_000
COMPLETED_POLL_AFTER_MS = 60_000

MAX_FRESH_S = 5.0
"""Limit of a cached response's freshness: `Poll-After` follows the load, and sessions in use stay
recently used.
"""


class LoadFactor(Protocol):
    """Load of the process.

    `poll_interval_factor`: by what the usual time between polls should be multiplied, at least 1.
    """

    poll_interval_factor: float


@dataclass(frozen=True, slots=True)
class ResponseBuilder:
    """Builds cacheable responses; one per process."""

    clock: Clock
    metrics: Metrics
    load: LoadFactor
    prefix: bytes = b""

    def status(
        self,
        request: Request,
        state: SessionState,
        view: View,
        body: bytes,
        *,
        until_s: float = inf,
        visible_to: VisibleTo | None = None,
    ) -> CachedResponse:
        """Return a status body as a response, fresh until `until_s` on the monotonic clock.

        Only changes of control invalidate what participants read.
        """
        now_s = self.clock.monotonic_s()
        freshness = Freshness(min(until_s, now_s + MAX_FRESH_S), now_s, visible_to, follows_data=view is not View.PARTICIPANT)
        return self._build(request, state, body, (REVALIDATE, VARY), freshness)

    def page(self, request: Request, state: SessionState, page: Page, plan: PagePlan) -> CachedResponse:
        """Return a page as a response.

        Body, header and `Link` all contain the cursor, because caches and proxies drop some of
        them.
        """
        cursor = b"%016d" % page.cursor
        below = request.route.path.rpartition("/")[0].format_map(request.params).encode()
        headers: tuple[Header, ...] = (
            NO_STORE if plan.since.kind == "now" else REVALIDATE,
            VARY,
            (b"feed-cursor", cursor),
            (b"link", b"<" + self.prefix + below + b"/" + cursor + b'>; rel="next"'),
        )
        now_s, is_empty = self.clock.monotonic_s(), not page.items and not page.closed
        freshness = Freshness(now_s + MAX_FRESH_S, now_s, plan.visible_to, plan.follows_data, is_empty)
        return self._build(request, state, page.encoded(state.epoch), headers, freshness)

    def _build(
        self, request: Request, state: SessionState, body: bytes, headers: tuple[Header, ...], freshness: Freshness
    ) -> CachedResponse:
        tag = etag_of(body)
        is_completed = state.session.status is SessionStatus.COMPLETED
        poll_after_ms = COMPLETED_POLL_AFTER_MS if is_completed else POLL_AFTER_MS * self.load.poll_interval_factor
        policy = request.route.policy
        return CachedResponse(
            body,
            ((b"etag", tag), *headers, (b"poll-after", b"%d" % poll_after_ms), policy_header(policy)),
            tag=tag,
            policy=policy,
            tally=self.metrics.fast_path(request.route.path),
            freshness=freshness,
        )
