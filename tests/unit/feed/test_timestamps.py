from datetime import UTC, datetime, timedelta

import pytest

from conflicto.feed.timestamps import InvalidTimestamp, Since, parse
from conflicto.platform.problems import Kind

US = 1_795_419_120_123_456  # 2026-11-23T07:32:00.123456Z
SECOND = 1_795_419_120_000_000


@pytest.mark.parametrize(
    ("text", "expected"), [("0", Since(0, "beginning")), ("beginning", Since(0, "beginning")), ("now", Since(0, "now"))]
)
def test_word_has_its_own_meaning(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1795419120123456", US),
        ("0000000000000000", 0),
        ("0000000000000001", 1),
        ("9999999999999999", 10**16 - 1),
        ("1795419120123", SECOND + 123_000),
        ("1795419120", SECOND),
        ("0000000001", 1_000_000),
    ],
)
def test_digits_are_widened_to_microseconds(text, us):
    assert parse(text) == Since(us, "position")


@pytest.mark.parametrize("length", [*range(1, 10), 11, 12, 14, 15, 17, 18, 19, 20, 100, 5_000])
def test_other_number_of_digits_is_refused(length):
    for digit in "019":
        if digit * length != "0":
            with pytest.raises(InvalidTimestamp):
                parse(digit * length)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T07:32:00.123456Z",
        "2026-11-23t07:32:00.123456z",
        "2026-11-23 07:32:00.123456Z",
        "2026-11-23T07:32:00.1234567Z",
        "2026-11-23T07:32:00.123456789Z",
        "2026-11-23T07:32:00.123456999Z",
        "2026-11-23T07:32:00.123456+00:00",
        "2026-11-23T07:32:00.123456-00:00",
        "2026-11-23T08:32:00.123456+01:00",
        "2026-11-23T08:32:00.123456 01:00",
        "2026-11-23 08:32:00.123456 01:00",
        "2026-11-23T02:02:00.123456-05:30",
        "2026-11-24T07:31:00.123456+23:59",
        "2026-11-22T07:33:00.123456-23:59",
    ],
)
def test_spellings_of_one_instant_agree(text):
    assert parse(text) == Since(US, "position")


@pytest.mark.parametrize(
    ("fraction", "us"),
    [
        ("", 0),
        (".0", 0),
        (".1", 100_000),
        (".12", 120_000),
        (".000001", 1),
        (".0000019", 1),
        (".999999999", 999_999),
        (".0000009", 0),
    ],
)
def test_fraction_is_rounded_down_to_microseconds(fraction, us):
    assert parse(f"2026-11-23T07:32:00{fraction}Z") == Since(SECOND + us, "position")


@pytest.mark.parametrize(
    "text", ["1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "1970-01-01T00:00:00+00:01"]
)
def test_instant_before_1970_means_from_the_start(text):
    assert parse(text) == Since(0, "position")


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00.000001Z", 1),
        ("2000-02-29T12:00:00Z", 951_825_600_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("9999-12-31T23:59:59.999999-23:59", 253_402_300_799_999_999 + 86_340_000_000),
    ],
)
def test_far_instant_stays_exact(text, us):
    assert parse(text).us == us


def test_every_day_agrees_with_the_calendar():
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for day in range(0, 150_000, 97):
        moment = epoch + timedelta(days=day, microseconds=day)
        assert parse(moment.isoformat(timespec="microseconds")).us == (moment - epoch) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Now",
        "NOW",
        "now ",
        " now",
        "Beginning",
        "00",
        "-0",
        "+0",
        "0.0",
        "0\n",
        "-1795419120123456",
        "+1795419120123456",
        "-179541912012345",
        " 795419120123456",
        "1795419120123456\n",
        "1795419120123456 ",
        "1_795_419_120_12",
        "179541912012_456",
        "1795419120.12345",
        "1795419120e10000",
        "0x95419120123456",
        "\uff11795419120123456"[:16],
        "\u0661" * 16,
        "\u0967" * 10,
        "\U0001d7ce" * 13,
        "\u00b2" * 16,
        "17954191201234\x0056",
        "null",
        "undefined",
        "NaN",
        "k3f9-abc",
    ],
)
def test_trick_with_digits_or_words_is_refused(text):
    with pytest.raises(InvalidTimestamp):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T07:32:00",
        "2026-11-23T07:32:00.123456",
        "2026-11-23",
        "2026-11-23Z",
        "2026-11",
        "2026-W48-1",
        "2026-W48-1T07:32:00Z",
        "2026-327T07:32:00Z",
        "20261123T073200Z",
        "2026-11-23T073200Z",
        "2026-11-23T07:32Z",
        "2026-11-23T07Z",
        "2026-11-23T7:32:00Z",
        "2026-1-23T07:32:00Z",
        "26-11-23T07:32:00Z",
        "12026-11-23T07:32:00Z",
        "+2026-11-23T07:32:00Z",
        "-2026-11-23T07:32:00Z",
        "2026-11-23T07:32:60Z",
        "2016-12-31T23:59:60Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T07:60:00Z",
        "2026-11-31T07:32:00Z",
        "2026-02-29T07:32:00Z",
        "1900-02-29T07:32:00Z",
        "2026-13-01T07:32:00Z",
        "2026-00-01T07:32:00Z",
        "2026-01-00T07:32:00Z",
        "2026-01-32T07:32:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-23T07:32:00.Z",
        "2026-11-23T07:32:00,5Z",
        "2026-11-23T07:32:00.1234567890Z",
        "2026-11-23T07:32:00+24:00",
        "2026-11-23T07:32:00-24:00",
        "2026-11-23T07:32:00+01:60",
        "2026-11-23T07:32:00+01",
        "2026-11-23T07:32:00+0100",
        "2026-11-23T07:32:00+1:00",
        "2026-11-23T07:32:00+01:00:00",
        "2026-11-23T07:32:00\u221201:00",
        "2026-11-23T07:32:00  01:00",
        "2026-11-23T07:32:00 Z",
        "2026-11-23T07:32:00ZZ",
        "2026-11-23T07:32:00Z\n",
        "2026-11-23T07:32:00Z ",
        " 2026-11-23T07:32:00Z",
        "2026-11-23\t07:32:00Z",
        "2026-11-23\u00a007:32:00Z",
        "2026-11-23_07:32:00Z",
        "2026-11-23+07:32:00Z",
        "2026-11-23T07:32:00%2B01:00",
        "2026-11-23T07:32:0\u0660Z",
        "2026-11-23T07:32:00.\u0661Z",
        "\u0662026-11-23T07:32:00Z",
        "2026/11/23T07:32:00Z",
        "2026-11-23T07:32:00UTC",
        "Mon, 23 Nov 2026 07:32:00 GMT",
    ],
)
def test_date_that_is_not_rfc_3339_with_an_offset_is_refused(text):
    with pytest.raises(InvalidTimestamp):
        parse(text)


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30T00:00:00Z"])
def test_refusal_shows_an_example_that_works_and_never_the_input(text):
    with pytest.raises(InvalidTimestamp) as caught:
        parse(text)
    error = caught.value
    assert (error.code, error.kind) == ("invalid-timestamp", Kind.MALFORMED)
    assert text not in str(error)
    assert error.__suppress_context__ or error.__context__ is None
    example = error.detail.split()[-1].rstrip(".")
    assert parse(example) == Since(US, "position")
