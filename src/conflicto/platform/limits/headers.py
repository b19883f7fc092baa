"""Rate limit headers of draft-ietf-httpapi-ratelimit-headers-11."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.platform.limits.bucket import Policy, Verdict


@cache
def policy_header(policy: Policy) -> tuple[bytes, bytes]:
    """Return `RateLimit-Policy`, which is the same for every response under the policy."""
    return b"ratelimit-policy", f'"{policy.name}";q={policy.quota};w={policy.window_s}'.encode()


def limit_header(policy: Policy, verdict: Verdict) -> tuple[bytes, bytes]:
    """Return `RateLimit`: the remaining requests and the seconds until the next one."""
    return b"ratelimit", f'"{policy.name}";r={verdict.remaining};t={verdict.reset_s}'.encode()
