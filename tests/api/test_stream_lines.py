"""Requirements of common event stream readers: data in each event, no line breaks in text."""

import json
import re

import pytest

from tests.support.api import Api, make_event


async def test_no_event_comes_without_data_and_no_line_breaks_inside_of_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conflicto.feed.streams.MAX_SILENCE_S", 0.05)
    monkeypatch.setattr("conflicto.feed.streams.LIFETIME_S", (0.3, 0.4))
    event = await make_event(api)
    wall = await event.activity(status="active", aggregate={"words": {"path": "", "op": "count"}}, results_visibility="always")
    text = "a\u2028b\u2029c\u0085d"
    await event.answer(wall, await event.join("Anna"), text)
    results = f"{event.path}/activities/{wall['id']}/results"

    for path in (f"{event.path}/events?since=0", f"{event.path}/events", results):
        answer = await api.get(path, event.host, headers={"accept": "text/event-stream"})
        blocks = [block for block in answer.text.split("\n\n") if block.strip(":\n")]
        assert all(re.search(r"^data: \S", block, re.MULTILINE) for block in blocks), blocks
        assert blocks[0].startswith("retry: ")
        assert len(answer.text.splitlines()) == len(answer.text.split("\n")) - 1
        events = [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: ")]
        assert "since=0" not in path or text in [(item.get("data") or {}).get("response_data") for item in events]
