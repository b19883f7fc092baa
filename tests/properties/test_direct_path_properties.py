"""Requests that skip ASGI get the responses that the others get, however they are sent."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.support.patience import PATIENCE_S
from tests.support.processes import Served, served

SAME = b"connection: Keep-Alive"
"""A header that changes nothing but the path: only the lower-case spelling skips ASGI."""

OWN = re.compile(
    rb"(date: |x-request-id: |renewed-token: )[^\r]+|\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    rb"|\"participant_id\":\d+|\"participant_token\":\"[^\"]+|Guest \d+|\"request_id\":\"[^\"]+|/requests/[^\"]+|content-length: \d+"
)
"""Parts that differ between two responses to one request."""


class Hall(NamedTuple):
    """A session with an open activity, by the tokens and addresses that requests need."""

    port: int
    code: str
    path: str
    activity: str
    tokens: tuple[str, ...]


class Sent(NamedTuple):
    """A request: its kind, body, token, further header lines, and the sizes of its parts."""

    joins: bool
    body: bytes
    token: int
    lines: tuple[bytes, ...]
    cuts: tuple[int, ...]
    chunked: bool


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps({"response_data": value}).encode()),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=30),
    st.just(b'{"response_data":"' + b"x" * 17_000 + b'"}'),
    st.just(b'{"nickname":"Guest %d","code":"%b"}'),
    st.just(b'{"nickname":"Guest %d","code":"BCDF-GHJK"}'),
)
LINES = st.sampled_from(
    [b"content-type: application/json", b"content-type: application/json; charset=utf-8", b"content-type: text/plain",
     b"content-encoding: gzip", b"idempotency-key: %d-0d2f6c1e8f7b4c5e", b'idempotency-key: ""', b"accept: */*",
     b"accept: text/event-stream", b"x-forwarded-for: 203.0.113.9", b"cookie: a=b", b"expect: x", b"prefer: wait=1", b"link-key: x",
     b"origin: https://a.example", b"te: trailers", b'if-match: "r1"']
)  # fmt: skip
REQUESTS = st.builds(
    Sent, st.booleans(), BODIES, st.integers(0, 3), st.lists(LINES, max_size=4, unique=True).map(tuple),
    st.lists(st.integers(1, 400), max_size=3).map(tuple), st.booleans(),
)  # fmt: skip

NUMBERS = count(1)


def request_bytes(hall: Hall, sent: Sent, more: tuple[bytes, ...]) -> bytes:
    """Return the bytes of a request. Its numbers are its own, so that it can be sent once more."""
    path = f"/api/v1{hall.path}/join" if sent.joins else f"/api/v1{hall.path}/activities/{hall.activity}/responses"
    token = (b"authorization: Bearer " + hall.tokens[sent.token].encode(),) if sent.token < len(hall.tokens) else ()
    lines = [line % next(NUMBERS) if b"%d" in line else line for line in sent.lines]
    body = (
        sent.body % (next(NUMBERS), hall.code.encode()) if b"%b" in sent.body else sent.body.replace(b"%d", b"%d" % next(NUMBERS))
    )
    if sent.chunked:
        length, body = b"transfer-encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    else:
        length = b"content-length: %d" % len(body)
    head = [b"POST %b HTTP/1.1" % path.encode(), b"host: t", *token, *lines, *more, length, b"\r\n"]
    return b"\r\n".join(head) + body


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield line


def answer(line: socket.socket, rest: bytes = b"") -> tuple[bytes, bytes]:
    """Return the next response without what is its own, and the bytes after it."""
    while b"\r\n\r\n" not in rest:
        rest += line.recv(65_536) or b"\r\n\r\nclosed"
    head, _, rest = rest.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head)
    length = int(found[1]) if found else 0
    while len(rest) < length:
        rest += line.recv(65_536)
    return OWN.sub(b"", head + b"\r\n\r\n" + rest[:length]), rest[length:]


def exchange(line: socket.socket, request: bytes, cuts: tuple[int, ...]) -> bytes:
    """Send a request in parts and return its response."""
    for size in cuts:
        line.sendall(request[:size])
        request = request[size:]
    line.sendall(request)
    return answer(line)[0]


def make_hall(server: Served) -> Hall:
    made = server.call("POST", "/sessions", {"title": "Lunch"})
    path = f"/sessions/{made['id']}"
    server.call("PATCH", path, {"status": "active"}, token=made["host_token"])
    fields = {"type": "lunch", "status": "active", "response_policy": "many"}
    activity = server.call("POST", f"{path}/activities", fields, token=made["host_token"])
    seat = server.call("POST", "/join", {"nickname": "Anna", "code": made["join_code"]})
    tokens = seat["participant_token"], made["host_token"], "no-token"
    return Hall(int(server.url.rpartition(":")[2]), made["join_code"], path, activity["id"], tokens)


def test_a_request_gets_the_same_response_with_and_without_asgi(database_url: str, tmp_path: Path) -> None:
    with served(tmp_path / "server", DATABASE_URL=database_url, CONFLICTO_SECRET_KEY="k" * 32) as server:
        hall = make_hall(server)

        @given(REQUESTS)
        def compare(sent: Sent) -> None:
            with connected(hall.port) as direct, connected(hall.port) as slow:
                expected = exchange(slow, request_bytes(hall, sent, (SAME,)), ())
                assert exchange(direct, request_bytes(hall, sent, ()), sent.cuts) == expected

        compare()
        assert '"level":"error"' not in server.log.read_text()


def test_requests_in_one_write_get_their_responses_in_order(database_url: str, tmp_path: Path) -> None:
    with served(tmp_path / "server", DATABASE_URL=database_url, CONFLICTO_SECRET_KEY="k" * 32) as server:
        hall = make_hall(server)

        @given(st.lists(st.integers(0, 99), min_size=1, max_size=8), st.booleans())
        def compare(numbers: list[int], first_is_direct: bool) -> None:
            more = () if first_is_direct else (SAME,)
            sent = [
                Sent(False, b'{"response_data":%d}' % number, 0, (b"content-type: application/json",), (), False)
                for number in numbers
            ]
            together, rest = b"".join(request_bytes(hall, each, more) for each in sent), b""
            with connected(hall.port) as line:
                line.sendall(together)
                for number in numbers:
                    found, rest = answer(line, rest)
                    assert b'"response_data":%d,' % number in found

        compare()
