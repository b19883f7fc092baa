import time
from types import SimpleNamespace

import pytest

from conflicto.platform.http.conditional_requests import (
    ConditionInvalid,
    conditional_response,
    etag_matches,
    etag_of,
    required_revisions,
    revision_etag,
)
from conflicto.platform.http.messages import Request


def request(method: str = "GET", *more: tuple[bytes, bytes], **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()] + list(more)
    route = SimpleNamespace(method=method)
    return Request(route=route, params={}, headers=sent, query_string=b"", address="", request_id="1")


def test_two_bodies_have_the_same_etag_if_and_only_if_they_are_identical() -> None:
    assert etag_of(b"a") == etag_of(b"a") != etag_of(b"b")
    assert etag_of(b"a").startswith(b'W/"')


@pytest.mark.parametrize("condition", ['"a"', 'W/"a"', "*", " * ", '"x", "a"', '"a","x"', 'W/"x" , W/"a" ,"y"', '"x","a",'])
def test_conditions_that_match(condition: str) -> None:
    assert etag_matches(condition, b'W/"a"')
    assert etag_matches(condition, b'"a"')


SUFFIXES = ("-gzip", "-br", "-zstd", "-deflate", "--gzip", ";gzip")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("written", ['"a{}"', 'W/"a{}"', '"x", "a{}"', 'W/"a{}" , "y"'])
def test_a_compressed_body_is_the_same_body(written: str, suffix: str) -> None:
    assert etag_matches(written.format(suffix), b'W/"a"')
    assert etag_matches(written.format(suffix), b'"a"')
    assert required_revisions(request(if_match=written.format(suffix).replace("a", "r7", 1))) == {7}


@pytest.mark.parametrize(
    "condition",
    ['"a-"', '"-gzip"', '"a-gzipped"', '"agzip"', '"a-gzip-br"', '"a---gzip"', '"a-GZIP"', '"b-gzip"', '"a"-gzip', "a-gzip"],
)
def test_other_suffixes_are_other_etags(condition: str) -> None:
    assert not etag_matches(condition, b'W/"a"')
    with pytest.raises(ConditionInvalid):
        required_revisions(request(if_match=condition.replace("a", "r7", 1)))


@pytest.mark.parametrize("condition", [None, "", "a", '"b"', "W/a", '"A"', "W/*", '"*"', '"a', 'a"', '""a""', '"\x7f"', "é"])
def test_conditions_that_do_not_match(condition: str | None) -> None:
    assert not etag_matches(condition, b'W/"a"')


@pytest.mark.parametrize(
    "condition",
    ['"' + "x" * 60_000, '"x",' * 15_000, '"x"' + " " * 60_000 + '"', '"x" ' * 15_000, "W/" * 30_000, '"a' + "-gzip" * 12_000],
)
@pytest.mark.timed
def test_long_conditions_cost_no_time(condition: str) -> None:
    began = time.monotonic()

    assert not etag_matches(condition, b'"a"')

    assert time.monotonic() - began < 0.2


def test_the_status_is_304_if_and_only_if_the_caller_has_the_body() -> None:
    tag = etag_of(b"{}")
    full = conditional_response(request(), b"{}", tag, ((b"poll-after", b"1"),))
    empty = conditional_response(request(if_none_match=tag.decode()), b"{}", tag, ((b"poll-after", b"1"),))

    assert (full.status, full.body, empty.status, empty.body) == (200, b"{}", 304, b"")
    assert set(full.headers) - set(empty.headers) == {(b"content-type", b"application/json")}
    assert conditional_response(request("PATCH", if_none_match=tag.decode()), b"{}", tag).status == 200


@pytest.mark.parametrize(
    "value", ['"r7"', 'W/"r7"', ' "r7" ', '\t"r7",', '"r7", "r7"', '"x", "r7"', '"r7",*', 'r8,"r7"', '"r7","r"']
)
def test_required_revision(value: str) -> None:
    assert required_revisions(request(if_match=value)) == {7}


@pytest.mark.parametrize("value", ['"r7","r8"', '"r8" , W/"r7"', ',, "r7",\t,"r8" ,', '"abc", W/"r7", "", "r8"'])
def test_one_of_several_revisions(value: str) -> None:
    assert required_revisions(request(if_match=value)) == {7, 8}


def test_a_list_on_several_lines_is_one_list() -> None:
    assert required_revisions(request("PATCH", (b"if-match", b'"r8"'), if_match='"r7"')) == {7, 8}


def test_a_missing_condition_accepts_every_revision() -> None:
    for each in (request(), request(if_match="*"), request(if_match=" * ")):
        assert required_revisions(each) is None
    assert required_revisions(request(if_match='"r0"')) == {0}


NO_TAG_OF_OURS = [
    "",
    ",",
    "r7",
    '"7"',
    '"r"',
    '"r-1"',
    '"r1234567890"',
    '"r\u0667"',
    'w/"r7"',
    '*, "x"',
    '"x", "y"',
    '"r7" "r8"',
    '"r7',
]


@pytest.mark.parametrize("value", NO_TAG_OF_OURS)
def test_other_conditions_are_refused(value: str) -> None:
    with pytest.raises(ConditionInvalid):
        required_revisions(request(if_match=value.encode().decode("latin-1")))


@pytest.mark.parametrize(
    "value",
    [" " * 60_000 + "x", '"x",' * 15_000, '"r' + "1" * 60_000 + '"', ", " * 30_000, '"x"' + " " * 60_000 + '"', "W/" * 30_000],
)
@pytest.mark.timed
def test_long_lists_of_revisions_cost_no_time(value: str) -> None:
    began = time.monotonic()

    with pytest.raises(ConditionInvalid):
        required_revisions(request(if_match=value))

    assert time.monotonic() - began < 0.2


def test_if_match_accepts_the_etag_of_a_revision() -> None:
    name, tag = revision_etag(12)

    assert (name, required_revisions(request(if_match=tag.decode()))) == (b"etag", {12})
