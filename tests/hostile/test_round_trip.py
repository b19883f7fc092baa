"""Round trips: every reader returns accepted values byte for byte.

A value that one reader of JSON or text refuses is refused by all.
"""

import json
from urllib.parse import quote

import pytest

from tests.support.api import Api, Event, Seat, make_event
from tests.support.checks import accepted, refused
from tests.support.fuzzing.cases import Case
from tests.support.fuzzing.exchange import send_case
from tests.support.hostile import FRAGMENTS
from tests.support.shapes import SHAPES


async def readers(event: Event, seat: Seat, path: str, response_id: str) -> dict[str, str]:
    """Return all texts of everyone who may read the response, by reader."""
    api = event.api
    found = {
        "one": await api.get(f"{path}/{response_id}", seat.token), "list": await api.get(path, event.host),
        "mine": await api.get(f"{path}/mine", seat.token), "since": await api.get(f"{path}/since/0", event.screen),
        "changes": await api.get(f"{event.path}/changes/since/0", event.host), "me": await api.get("/participants/me", seat.token),
    }  # fmt: skip
    texts = {name: answer.text for name, answer in found.items()}
    for name, target in (("stream", f"{path}/since/0"), ("events", f"{event.path}/events?since=0")):
        headers = ((b"authorization", b"Bearer " + event.host.encode()), (b"accept", b"text/event-stream"))
        streamed = await send_case(api.app, Case(b"GET", f"/api/v1{target}".encode(), headers))
        assert streamed is not None
        texts[name] = streamed.body.decode()
    texts["export"] = (await api.get(f"{event.path}/export?format=jsonl", event.host)).text
    return texts


@pytest.mark.catalogue("J-03", "J-09", "J-13")
async def test_every_reader_returns_the_bytes_that_were_sent(api: Api) -> None:
    event = await make_event(api)
    seat = await event.join()
    wall = await event.activity(status="active", response_policy="many", responses_visibility="screen")
    path = f"{event.path}/activities/{wall['id']}/responses"
    for text in SHAPES.values():
        sent = await api.post(
            path, token=seat.token, content='{"response_data": ' + text + " }", headers={"content-type": "application/json"}
        )
        response_id = accepted(sent, 201)["id"]
        texts = await readers(event, seat, path, response_id)
        assert [name for name, body in texts.items() if f'"response_data":{text}' not in body] == []


@pytest.mark.catalogue("J-14")
async def test_json_in_a_query_passes_the_same_gate(api: Api) -> None:
    event = await make_event(api)
    poll = await event.activity(status="active")
    path = f"{event.path}/activities/{poll['id']}/responses"
    for code, value in FRAGMENTS:
        if len(value) < 600 and code != "json-too-large":
            refused(await api.get(f"{path}?contains={quote(value)}", token=event.host), *expected(value, code))


def expected(value: bytes, code: str) -> tuple[int, str]:
    """Return the status and code for a value.

    Invalid text is refused before any check for JSON.
    """
    try:
        value.decode()
    except UnicodeDecodeError:
        return 422, "invalid-input"
    return 400, code


@pytest.mark.catalogue("J-06", "J-14")
async def test_what_is_no_text_does_no_harm_in_a_header(api: Api) -> None:
    event = await make_event(api)
    for value in (b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf", b"{", b"9" * 400, b"\\u0000", b"x" * 4_000):
        for name in (b"last-event-id", b"cookie", b"prefer", b"if-none-match", b"if-match", b"idempotency-key", b"accept-language"):
            headers = ((b"authorization", b"Bearer " + event.host.encode()), (name, value))
            for target in (f"/api/v1{event.path}/status", f"/api/v1{event.path}/events", "/host"):
                response = await send_case(api.app, Case(b"GET", target.encode(), headers))
                assert response is not None
                assert response.status in {200, 304, 400}, (name, value, target)


@pytest.mark.catalogue("J-05")
async def test_a_thousand_lone_surrogates_hurt_no_reader(api: Api) -> None:
    event = await make_event(api)
    seat = await event.join()
    wall = await event.activity(status="active", responses_visibility="participants")
    target = f"/api/v1{event.path}/activities/{wall['id']}/responses"
    headers = ((b"authorization", b"Bearer " + seat.token.encode()), (b"content-type", b"application/json"))
    for body in (rb'{"response_data":"\ud800"}', rb'{"response_data":{"\udfff":1}}', b'{"response_data":"\xed\xa0\x80"}') * 334:
        response = await send_case(api.app, Case(b"POST", target.encode(), headers, body))
        assert response is not None
        assert response.status == 400
    sent = accepted(await event.answer(wall, seat, "kept"), 201)
    bodies_after = await readers(event, seat, target.removeprefix("/api/v1"), sent["id"])
    assert [name for name, body in bodies_after.items() if '"kept"' not in body or json.dumps("\ud800")[1:-1] in body] == []
