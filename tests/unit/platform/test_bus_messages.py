from hypothesis import given
from hypothesis import strategies as st

from conflicto.platform.bus import decode, encode


@given(st.dictionaries(st.integers(1, 2**48), st.integers(1, 2**53), max_size=50))
def test_what_is_written_is_read(moved: dict[int, int]) -> None:
    assert dict(decode(encode(moved).encode())) == moved


@given(st.one_of(st.binary(), st.text(), st.none(), st.integers()))
def test_whatever_arrives_is_read_or_passed_over(message: object) -> None:
    for topic, ts in decode(message):
        assert topic >= 0
        assert ts >= 0


def test_what_is_too_long_is_passed_over() -> None:
    assert list(decode(b"1:2 " * 300_000)) == []
    assert list(decode(b"1:" + b"9" * 5000)) == []
