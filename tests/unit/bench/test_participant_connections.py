import pytest

from bench.open_files import PORTS, source_address
from bench.participant_connections import is_complete, tag_of

OK = b'HTTP/1.1 200 OK\r\netag: "abc"\r\ncontent-length: 4\r\n\r\nbody'


@pytest.mark.parametrize("cut", range(len(OK)))
def test_an_answer_that_is_cut_anywhere_is_not_whole(cut: int) -> None:
    assert not is_complete(OK[:cut])


@pytest.mark.parametrize(
    "data", [OK, b"HTTP/1.1 304 Not Modified\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 251\r\n\r\n"], ids=range(3)
)
def test_a_complete_response_is_found_by_its_length_and_a_304_by_its_head(data: bytes) -> None:
    assert is_complete(data)


def test_the_etag_is_read_from_the_head_alone() -> None:
    assert tag_of(OK) == b'"abc"'
    assert tag_of(b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n\r\netag: "no"\r\n') == b""


def test_no_source_address_has_more_connections_than_ports() -> None:
    assert [source_address(number) for number in (0, PORTS - 1, PORTS, 2 * PORTS)] == [
        "127.0.0.1",
        "127.0.0.1",
        "127.0.0.2",
        "127.0.0.3",
    ]
