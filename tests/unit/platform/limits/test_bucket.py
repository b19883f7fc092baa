import pytest

from conflicto.platform.limits.bucket import Policy, Verdict, admit, fallback_policy
from conflicto.platform.limits.headers import limit_header, policy_header
from conflicto.platform.limits.memory import MemoryLimiter
from tests.support.clocks import HandClock

POLICY = Policy("poll", 3, 60)


class Stopped(HandClock):
    """A clock that moves only with `advance`, for exact figures."""

    def monotonic_s(self) -> float:
        return 1000.0 + self.shift_s


def test_a_burst_of_the_quota_passes_and_then_one_per_interval() -> None:
    state, verdicts = 0.0, []
    for now in (100.0, 100.0, 100.0, 100.0, 119.9, 120.0, 120.0, 140.0):
        state, verdict = admit(state, now, POLICY)
        verdicts.append((verdict.allowed, verdict.remaining, verdict.reset_s))

    assert verdicts == [
        (True, 2, 0), (True, 1, 0), (True, 0, 20), (False, 0, 20), (False, 0, 1), (True, 0, 20), (False, 0, 20), (True, 0, 20),
    ]  # fmt: skip


def test_a_refusal_costs_nothing() -> None:
    full = 100.0 + 60

    assert admit(full, 100.0, POLICY) == (full, Verdict(allowed=False, remaining=0, reset_s=20))
    assert admit(full, 100.0, POLICY, cost=4)[0] == full


def test_the_cost_is_spent() -> None:
    state, verdict = admit(0.0, 100.0, POLICY, cost=2)

    assert (verdict.allowed, verdict.remaining) == (True, 1)
    assert not admit(state, 100.0, POLICY, cost=2)[1].allowed


def test_a_refund_undoes_a_spending_and_never_exceeds_the_quota() -> None:
    state = admit(0.0, 100.0, POLICY)[0]

    assert admit(admit(state, 100.0, POLICY)[0], 100.0, POLICY, cost=-1)[0] == state
    assert admit(state, 100.0, POLICY, cost=-2) == (0.0, Verdict(allowed=True, remaining=3, reset_s=0))


def test_a_clock_that_was_set_back_costs_one_window_at_most() -> None:
    state = admit(0.0, 1e6, POLICY)[0]

    state, verdict = admit(state, 100.0, POLICY)
    assert verdict == Verdict(allowed=False, remaining=0, reset_s=20)
    assert admit(state, 120.0, POLICY)[1].allowed


def test_drain_empties_a_bucket() -> None:
    limiter = MemoryLimiter(Stopped())
    limiter.drain(POLICY, "a")

    assert limiter.spend(POLICY, "a") == Verdict(allowed=False, remaining=0, reset_s=20)
    assert limiter.spend(POLICY, "b").allowed


def test_the_fallback_policy_has_the_fallback_quota() -> None:
    strict = Policy("strict", 60, 60, fallback_quota=10)

    assert fallback_policy(strict) == Policy("strict-fallback", 10, 60)
    assert fallback_policy(POLICY) is POLICY


def test_policies_and_keys_have_separate_buckets() -> None:
    clock = Stopped()
    limiter = MemoryLimiter(clock)
    other = Policy("other", 1, 60)

    assert [limiter.spend(POLICY, "a").allowed for _ in range(4)] == [True, True, True, False]
    assert (limiter.spend(POLICY, "b").allowed, limiter.spend(other, "a").allowed) == (True, True)
    clock.advance(20)
    assert limiter.spend(POLICY, "a").allowed


def test_a_disabled_limiter_allows_everything() -> None:
    limiter = MemoryLimiter(Stopped(), enabled=False)

    assert all(limiter.spend(POLICY, "a") == Verdict(allowed=True, remaining=3, reset_s=0) for _ in range(9))


@pytest.mark.catalogue("R-07")
def test_memory_is_bounded_and_full_buckets_are_evicted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.platform.limits.memory.MAX_BUCKETS", 4)
    clock = Stopped()
    limiter = MemoryLimiter(clock)
    for key in ("old", "older", "oldest"):
        limiter.spend(POLICY, key)
    clock.advance(60)
    for _ in range(3):
        limiter.spend(POLICY, "busy")
    limiter.spend(POLICY, "new")
    assert not limiter.spend(POLICY, "busy").allowed
    assert len(limiter._buckets) == 2


@pytest.mark.catalogue("R-07")
def test_a_flood_of_keys_does_not_reset_a_used_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-07: keys that were used once are evicted before keys with a used quota."""
    monkeypatch.setattr("conflicto.platform.limits.memory.MAX_BUCKETS", 1000)
    limiter = MemoryLimiter(Stopped())
    for _ in range(3):
        limiter.spend(POLICY, "busy")
    stranger = limiter.bucket(POLICY, "stranger 0")
    for number in range(20_000):
        limiter.spend(POLICY, f"stranger {number}")

    assert not limiter.spend(POLICY, "busy").allowed
    assert len(limiter._buckets) <= 1000
    assert stranger.is_evicted


def test_headers_follow_the_draft() -> None:
    assert policy_header(POLICY) == (b"ratelimit-policy", b'"poll";q=3;w=60')
    assert limit_header(POLICY, Verdict(allowed=False, remaining=0, reset_s=7)) == (b"ratelimit", b'"poll";r=0;t=7')
