import pytest

from conflicto.platform.moving_average import MovingAverage


def test_the_newest_sample_counts_its_weight() -> None:
    average = MovingAverage(0.25)
    average.add(8.0)
    assert average.value == 2.0
    average.add(2.0)
    assert average.value == 2.0


@pytest.mark.parametrize("weight", [0.1, 0.25, 1.0])
def test_equal_samples_become_the_average(weight: float) -> None:
    average = MovingAverage(weight)
    for _ in range(200):
        average.add(3.0)
    assert average.value == pytest.approx(3.0)
