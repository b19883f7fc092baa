"""The limiter of one process with a shared bucket: refunds go to the bucket that was spent from."""

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.limits.bucket import Policy, Verdict
from conflicto.platform.limits.limiter import Limiter
from conflicto.platform.limits.memory import MemoryLimiter
from tests.support.clocks import HandClock

CAREFUL = Policy("careful", 20, 3600, shared=True, fallback_quota=2)


class Silent:
    """Shared buckets without answers."""

    def __init__(self) -> None:
        self.given_back: list[int] = []

    async def spend(self, policy: Policy, key: str, cost: int = 1) -> Verdict | None:
        return None

    def refund(self, policy: Policy, key: str, cost: int = 1) -> None:
        self.given_back.append(cost)


async def test_a_refund_of_a_fallback_verdict_goes_to_the_fallback_bucket() -> None:
    shared = Silent()
    limiter = Limiter(MemoryLimiter(HandClock()), shared)  # type: ignore[arg-type] - a double
    first, second = [await limiter.spend(CAREFUL, "anna") for _ in range(2)]
    assert (first.is_fallback, second.allowed, (await limiter.spend(CAREFUL, "anna")).allowed) == (True, True, False)

    limiter.refund(CAREFUL, "anna", by=second)

    assert (await limiter.spend(CAREFUL, "anna")).allowed
    assert shared.given_back == [1]


def test_buckets_that_are_full_again_are_dropped_with_age(clock: HandClock) -> None:
    budget = CacheBudget()
    limiter = MemoryLimiter(clock, budget=budget)
    (account,) = budget.accounts
    limiter.spend(CAREFUL, "anna", 20)
    clock.advance(1_800)
    limiter.spend(CAREFUL, "bert", 20)
    bucket = limiter.bucket(CAREFUL, "anna")
    clock.advance(1_801)
    account.age()
    assert (set(limiter._buckets), bucket.is_evicted) == ({("careful", "bert")}, True)
    assert not limiter.spend(CAREFUL, "bert", 20).allowed
    clock.advance(1_800)
    account.age()
    assert (len(limiter._buckets), account.bytes) == (0, 0)
