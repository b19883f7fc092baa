from bench.histogram import Histogram


def test_percentiles_are_at_most_a_hundredth_too_large_and_never_too_small() -> None:
    counted = Histogram()
    for number in range(1, 10_001):
        counted.record(number / 1_000)

    for percent, exact_ms in ((50, 5_000), (99, 9_900), (99.9, 9_990)):
        assert exact_ms <= counted.percentile_ms(percent) <= exact_ms * 1.01


def test_the_largest_is_exact_and_no_percentile_exceeds_it() -> None:
    counted = Histogram()
    for latency_s in (0.001, 0.002, 1.2345):
        counted.record(latency_s)

    assert counted.summary().largest == 1234.5
    assert counted.percentile_ms(100) == 1234.5


def test_one_outlier_in_a_thousand_shows_in_p999_and_not_in_p99() -> None:
    counted = Histogram()
    for _ in range(998):
        counted.record(0.001)
    counted.record(2.0)
    counted.record(2.0)

    assert counted.percentile_ms(99) < 1.02
    assert counted.percentile_ms(99.9) == 2_000


def test_what_is_shorter_than_a_microsecond_or_longer_than_an_hour_is_counted() -> None:
    counted = Histogram()
    counted.record(0.0)
    counted.record(10_000)

    assert counted.count == 2
    assert counted.percentile_ms(50) <= 0.00101
    assert counted.largest_s == 10_000


def test_nothing_counted_is_nought() -> None:
    assert Histogram().summary().p99 == 0
