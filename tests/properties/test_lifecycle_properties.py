from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conflicto.activities.lifecycle import advance, extended, is_due, is_open, next_round, revealed
from conflicto.activities.model import Activity, ActivityStatus
from conflicto.platform.problems import DomainError
from tests.support.samples import activity

SHOWN = st.sampled_from([None, False, True])
STEPS: st.SearchStrategy[Callable[[Activity, int], Activity]] = st.one_of(
    st.builds(
        lambda to, seconds: lambda now, at: advance(now, to, now_us=at, duration_seconds=seconds),
        st.sampled_from(ActivityStatus),
        st.sampled_from([None, 1, 60]),
    ),
    st.just(lambda now, at: next_round(now, now_us=at)),
    st.builds(lambda seconds: lambda now, at: extended(now, seconds, at_us=at), st.integers(1, 100)),
    st.builds(lambda results, secret: lambda now, at: revealed(now, results=results, secret=secret), SHOWN, SHOWN),
)


@pytest.mark.catalogue("C-06")
@settings(max_examples=300)
@given(st.lists(st.tuples(STEPS, st.integers(0, 90)), max_size=30))
def test_no_walk_breaks_the_promises(steps: list[tuple[Callable[[Activity, int], Activity], int]]) -> None:
    now, at_us = activity(), 1_000_000
    answered_shut: set[int] = set()
    for step, wait_s in steps:
        at_us += wait_s * 1_000_000
        try:
            after = step(now, at_us)
        except DomainError:
            continue
        assert after.round in {now.round, now.round + 1}
        assert after.status is not ActivityStatus.DRAFT or after.round == 1
        assert after.was_revealed >= (after.results_revealed or after.secret_revealed)
        assert not (after.secret_revealed and is_open(after, at_us=at_us))
        if after.round == now.round:
            assert after.was_revealed >= now.was_revealed
            assert after.ends_us is None or now.ends_us is None or after.ends_us >= min(now.ends_us, at_us)
        if after.status is ActivityStatus.ACTIVE and now.status is not ActivityStatus.ACTIVE:
            assert is_open(after, at_us=at_us)
            assert after.round not in answered_shut
        if after.status is ActivityStatus.EXPIRED and after.was_revealed:
            answered_shut.add(after.round)
        assert not (is_open(after, at_us=at_us) and is_due(after, at_us=at_us))
        now = after
