from datetime import UTC, datetime, timedelta

import pytest

from conflicto.platform.instants import parse_rfc3339, position, rfc3339

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_795_419_120_123_456, "2026-11-23T07:32:00.123456Z"),
        (1_795_419_120_000_000, "2026-11-23T07:32:00.000000Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_rfc3339_is_utc_with_six_digits(us, text):
    assert rfc3339(us) == text


@pytest.mark.parametrize("us", [-62_135_596_800_000_001, 253_402_300_800_000_000])
def test_rfc3339_outside_the_calendar_is_an_error(us):
    with pytest.raises(OverflowError):
        rfc3339(us)


def test_rfc3339_of_instants_within_one_second_differ():
    texts = [rfc3339(1_795_419_120_000_000 + step) for step in range(0, 3_000_000, 333_333)]
    expected = [(EPOCH + timedelta(microseconds=1_795_419_120_000_000 + step)) for step in range(0, 3_000_000, 333_333)]
    assert [datetime.fromisoformat(text) for text in texts] == expected


@pytest.mark.parametrize(
    ("us", "text"),
    [(0, "0000000000000000"), (7, "0000000000000007"), (1_763_860_000_123_456, "1763860000123456"), (10**16 - 1, "9" * 16)],
)
def test_position_has_sixteen_digits(us, text):
    assert position(us) == text


@pytest.mark.parametrize("us", [-1, 10**16])
def test_position_that_sixteen_digits_cannot_hold_is_an_error(us):
    with pytest.raises(ValueError, match="16 digits"):
        position(us)


@pytest.mark.parametrize("us", [0, 7, 1_763_860_000_123_456])
def test_what_was_written_is_read_as_the_same_instant(us):
    assert parse_rfc3339(rfc3339(us)) == us


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
    ],
)
def test_instants_are_read_with_any_offset(us, text):
    assert parse_rfc3339(text) == us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-02-30T00:00:00Z",
        "1970-01-01T00:00:00.1234567Z",
    ],
)
def test_what_is_no_instant_is_an_error(text):
    with pytest.raises(ValueError, match=r"instant|day|range"):
        parse_rfc3339(text)
