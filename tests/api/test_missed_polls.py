"""Polls that the fast path knows and has no response for."""

from typing import Any

import pytest

from conflicto.app import App
from conflicto.platform.http.server.fast_path import FastPath
from tests.api.test_fast_path import PolledSession, cached_responses, raw_response
from tests.support.api import Api
from tests.support.wire import connected, get, listening

pytestmark = pytest.mark.in_process


async def test_a_missed_poll_is_looked_up_once(app: App, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    polled = await PolledSession.make(api)
    request, parsed, parse = get(f"{polled.event.path}/status", polled.event.host), [], FastPath.parse

    def counted(fast_path: FastPath, *head: Any) -> Any:
        parsed.append(head)
        return parse(fast_path, *head)

    monkeypatch.setattr(FastPath, "parse", counted)
    async with listening(app) as port, connected(port) as line:
        for _ in range(3):
            await raw_response(line, request)
        parsed.clear()
        await api.post(f"{polled.event.path}/lock", token=polled.event.host)
        assert b'"locked":true' in await raw_response(line, request)
        assert parsed == []
        while app.edge.auths._evict():
            pass
        for _ in range(2):
            await raw_response(line, request)
        before = cached_responses(app)
        await raw_response(line, request)
        assert (len(parsed), cached_responses(app)) == (2, before + 1)  # once for each of the two requests
