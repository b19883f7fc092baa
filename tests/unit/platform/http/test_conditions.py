import time
from types import SimpleNamespace

import pytest

from conflicto.platform.http.conditions import ConditionInvalid, conditional_answer, holds, required_revision, revision_tag, tag_of
from conflicto.platform.http.messages import Call


def call(method: str = "GET", **headers: str) -> Call:
    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    route = SimpleNamespace(method=method)
    return Call(route=route, params={}, headers=sent, query_string=b"", address="", request_id="1")


def test_same_tag_exactly_if_same_bytes() -> None:
    assert tag_of(b"a") == tag_of(b"a") != tag_of(b"b")
    assert tag_of(b"a").startswith(b'W/"')


@pytest.mark.parametrize("condition", ['"a"', 'W/"a"', "*", " * ", '"x", "a"', '"a","x"', 'W/"x" , W/"a" ,"y"', '"x","a",'])
def test_conditions_that_hold(condition: str) -> None:
    assert holds(condition, b'W/"a"')
    assert holds(condition, b'"a"')


@pytest.mark.parametrize("condition", [None, "", "a", '"b"', "W/a", '"A"', "W/*", '"*"', '"a', 'a"', '""a""', '"\x7f"', "é"])
def test_conditions_that_do_not_hold(condition: str | None) -> None:
    assert not holds(condition, b'W/"a"')


@pytest.mark.parametrize(
    "condition", ['"' + "x" * 60_000, '"x",' * 15_000, '"x"' + " " * 60_000 + '"', '"x" ' * 15_000, "W/" * 30_000]
)
def test_long_conditions_cost_no_time(condition: str) -> None:
    began = time.monotonic()

    assert not holds(condition, b'"a"')

    assert time.monotonic() - began < 0.2


def test_answer_is_304_exactly_if_the_caller_has_the_body() -> None:
    tag = tag_of(b"{}")
    full = conditional_answer(call(), b"{}", tag, ((b"poll-after", b"1"),))
    empty = conditional_answer(call(if_none_match=tag.decode()), b"{}", tag, ((b"poll-after", b"1"),))

    assert (full.status, full.body, empty.status, empty.body) == (200, b"{}", 304, b"")
    assert set(full.headers) - set(empty.headers) == {(b"content-type", b"application/json")}
    assert conditional_answer(call("PATCH", if_none_match=tag.decode()), b"{}", tag).status == 200


@pytest.mark.parametrize(
    ("value", "revision"), [('"r7"', 7), ('W/"r7"', 7), (' "r7" ', 7), ("*", None), (" * ", None), ('"r0"', 0)]
)
def test_required_revision(value: str, revision: int | None) -> None:
    assert required_revision(call(if_match=value)) == revision
    assert required_revision(call()) is None


@pytest.mark.parametrize("value", ["", "r7", '"7"', '"r"', '"r-1"', '"r1", "r2"', '"r1234567890"', '"r\u0667"', 'w/"r7"'])
def test_other_conditions_are_refused(value: str) -> None:
    with pytest.raises(ConditionInvalid):
        required_revision(call(if_match=value.encode().decode("latin-1")))


def test_tag_of_a_revision_is_what_if_match_takes() -> None:
    name, tag = revision_tag(12)

    assert (name, required_revision(call(if_match=tag.decode()))) == (b"etag", 12)
