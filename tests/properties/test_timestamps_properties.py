import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from conflicto.feed.timestamps import InvalidTimestamp, Since, parse
from conflicto.platform.instants import position, rfc3339

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POSITIONS = st.integers(0, 10**16 - 1)
OFFSETS = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 29), timezones=OFFSETS)  # noqa: DTZ001
SHAPES = st.from_regex(
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,10})?([Zz]|[+ -][0-9]{2}:[0-9]{2})?")
)


@given(POSITIONS)
def test_every_emitted_form_leads_back(us):
    assert parse(position(us)) == parse(rfc3339(us)) == Since(us, "position")


@given(POSITIONS, POSITIONS)
def test_order_of_positions_is_order_of_texts(one, other):
    assert (position(one) < position(other)) == (rfc3339(one) < rfc3339(other)) == (one < other)


@given(MOMENTS, st.sampled_from("Tt "), st.booleans())
def test_instant_in_any_zone_agrees_with_datetime(moment, separator, plus_as_space):
    text = moment.isoformat(separator, "microseconds")
    assert parse(text.replace("+", " ") if plus_as_space else text).us == (moment - EPOCH) // timedelta(microseconds=1)


@given(POSITIONS, st.text("0123456789", max_size=3))
def test_finer_digits_never_move_the_instant_forward(us, digits):
    assert parse(rfc3339(us).replace("Z", digits + "Z")).us == us


@given(st.integers(0, 10**13 - 1))
def test_coarse_digits_never_skip(ms):
    assert parse(f"{ms:013d}").us == ms * 1_000
    assert parse(f"{ms // 1_000:010d}").us <= ms * 1_000


@given(st.text() | st.text("0123456789-+:.TZz _", max_size=32) | SHAPES)
@example("9999-12-31T23:59:59.999999999-23:59")
def test_any_text_is_read_or_refused(text):
    try:
        since = parse(text)
    except InvalidTimestamp:
        return
    assert text.isascii()
    assert text.strip() == text
    assert since.us >= 0
    assert (since.kind == "position") == (text not in {"0", "beginning", "now"})
