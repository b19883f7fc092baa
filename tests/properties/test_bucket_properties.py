from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.platform.limits.bucket import Bucket, Policy, admit

POLICIES = st.builds(Policy, st.just("p"), st.integers(1, 50), st.sampled_from([1, 7, 60, 3600]))
WAITS = st.lists(st.one_of(st.just(0.0), st.floats(0, 100, allow_nan=False)), min_size=1, max_size=80)
ROUNDING_S = 2e-4


@settings(max_examples=300)
@given(POLICIES, WAITS, st.floats(0, 1e6))
def test_no_interval_holds_more_than_burst_and_rate(policy: Policy, waits: list[float], start: float) -> None:
    state, now, allowed = 0.0, start, []
    for wait in waits:
        now += wait
        state, verdict = admit(state, now, policy)
        if verdict.allowed:
            allowed.append(now)

    for first, began in enumerate(allowed):
        for last, ended in enumerate(allowed[first:], start=first):
            assert last - first + 1 <= policy.quota + (ended - began) / policy.interval_s + ROUNDING_S


@settings(max_examples=200)
@given(POLICIES, WAITS, st.integers(1, 5))
def test_verdicts_are_true(policy: Policy, waits: list[float], cost: int) -> None:
    state, now = 0.0, 1000.0
    for wait in waits:
        now += wait
        before = state
        state, verdict = admit(state, now, policy, cost)
        if verdict.allowed:
            assert (verdict.remaining == 0) == (verdict.reset_s > 0)
            if verdict.remaining:
                assert admit(state, now, policy, verdict.remaining)[1].allowed
            assert not admit(state, now, policy, verdict.remaining + 1)[1].allowed
        else:
            assert (state, verdict.remaining) == (before, 0)
            assert verdict.reset_s >= 1
            if cost <= policy.quota:
                assert admit(state, now + verdict.reset_s + ROUNDING_S, policy, cost)[1].allowed


@settings(max_examples=300)
@given(POLICIES, st.lists(st.tuples(st.floats(-1e5, 1e5, allow_nan=False), st.integers(-3, 5)), max_size=40))
def test_whatever_clocks_did_a_window_fills_the_bucket(policy: Policy, steps: list[tuple[float, int]]) -> None:
    state, now = 0.0, 1e6
    for wait, cost in steps:
        now = max(0.0, now + wait)
        state, verdict = admit(state, now, policy, cost)
        assert state <= now + policy.window_s + ROUNDING_S
        assert 0 <= verdict.remaining <= policy.quota
    assert admit(state, now + policy.window_s + ROUNDING_S, policy, policy.quota)[1].allowed


@settings(max_examples=200)
@given(POLICIES, WAITS, st.integers(1, 5))
def test_what_is_given_back_can_be_spent_again(policy: Policy, waits: list[float], cost: int) -> None:
    state, now = 0.0, 1000.0
    for wait in waits:
        now += wait
        before, verdict = admit(state, now, policy)[1], admit(state, now, policy, cost)[1]
        if verdict.allowed:
            assert admit(admit(admit(state, now, policy, cost)[0], now, policy, -cost)[0], now, policy)[1] == before
        state = admit(state, now, policy, cost)[0]


@settings(max_examples=100)
@given(POLICIES, st.integers(1, 200))
def test_whoever_keeps_the_pace_is_never_refused(policy: Policy, requests: int) -> None:
    state = 0.0
    for number in range(requests):
        state, verdict = admit(state, 1000 + number * policy.interval_s * (1 + ROUNDING_S), policy)
        assert verdict.allowed


@settings(max_examples=300)
@given(POLICIES, WAITS, st.floats(0, 1e6))
def test_a_bucket_of_the_fast_path_allows_what_the_pure_function_allows(policy: Policy, waits: list[float], start: float) -> None:
    state, now, bucket = 0.0, start, Bucket(policy)
    for wait in waits:
        now += wait
        state, verdict = admit(state, now, policy)
        assert bucket.take(now) == verdict.allowed
        assert bucket.full_at_s == state
