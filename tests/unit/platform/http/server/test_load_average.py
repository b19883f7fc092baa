import pytest

from conflicto.platform.http.server import load_average
from conflicto.platform.http.server.load_average import LoadAverage


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the server's throttling, which the fixture of this name disables elsewhere."""
    monkeypatch.setattr(load_average, "ACCEPTABLE_LAG_S", 0.05)


def test_a_small_lag_leaves_the_poll_interval() -> None:
    measured = LoadAverage()
    for lag_s in (0.0, 0.01, -0.005, 0.04):
        measured.add(lag_s)
    assert measured.poll_interval_factor == 1.0


def test_lag_lengthens_the_poll_interval_up_to_a_bound_and_decays() -> None:
    measured = LoadAverage()
    factors = []
    for _ in range(30):
        measured.add(0.1)
        factors.append(measured.poll_interval_factor)
    assert factors == sorted(factors)
    assert 1.9 < factors[-1] <= 2.0
    for _ in range(50):
        measured.add(3.0)
    assert measured.poll_interval_factor == 5.0
    for _ in range(50):
        measured.add(0.0)
    assert measured.poll_interval_factor == 1.0
