from itertools import combinations

from tests.engines.matrix import ENGINES, FLOWS, LANGUAGES, TRANSPORTS, matrix, sample


def test_every_two_values_meet_in_the_sample() -> None:
    chosen = sample()
    for (at, values), (to, others) in combinations(enumerate((ENGINES, FLOWS, LANGUAGES, TRANSPORTS)), 2):
        assert {(case[at], case[to]) for case in chosen} == {(value, other) for value in values for other in others}


def test_the_sample_is_small_and_always_the_same() -> None:
    chosen = sample()
    assert chosen == sample()
    assert len(ENGINES) * len(FLOWS) <= len(chosen) <= len(matrix()) / 4
    assert len(set(chosen)) == len(chosen)
