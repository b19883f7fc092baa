"""Problems of requests beyond a rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.limits.headers import limit_header, policy_header
from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from conflicto.platform.limits.bucket import Policy, Verdict


class RateLimited(DomainError):
    """Base class of refusals by a policy.

    `headers` are the draft's `RateLimit-Policy` and `RateLimit`. The problem document repeats the
    wait for pages that cannot read headers.
    """

    kind = Kind.TOO_MANY

    def __init__(self, policy: Policy, verdict: Verdict) -> None:
        super().__init__(retry_after_s=verdict.reset_s, extensions={"retry_after_s": verdict.reset_s})
        self.headers = (policy_header(policy), limit_header(policy, verdict))


class TooManyRequests(RateLimited):
    """The bucket of the token, or of the whole server, is empty.

    `Retry-After` and `RateLimit` state when it refills.
    """

    code = "too-many-requests"
    title = "Too many requests"
