"""The log of slow statements: the route of the request, and no content of it."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
from structlog.testing import capture_logs

from conflicto.app import App
from conflicto.platform.db import timed_cursors
from conflicto.settings import Settings
from tests.support.api import Api, make_event
from tests.support.checks import accepted

pytestmark = pytest.mark.in_process


@pytest.fixture
async def api(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """Every statement takes a second or more."""
    monkeypatch.setattr(timed_cursors, "perf_counter", count().__next__)
    async with App(settings).running() as app:
        api = Api(app)
        yield api
        await api.http.aclose()


async def test_a_slow_read_names_its_route_and_a_slow_write_its_text(api: Api) -> None:
    with capture_logs() as lines:
        event = await make_event(api, title="canary-title")
        accepted(await api.get(f"{event.path}/participants", token=event.host))
        await event.join("canary-name")

    slow = [line for line in lines if line["event"] == "slow-query"]
    assert "/api/v1/sessions/{session_id}/participants" in {line.get("route") for line in slow if line["role"] == "reader"}
    assert any(line["statement"].startswith("INSERT INTO participants ") for line in slow if line["role"] == "writer")
    assert not any("route" in line for line in slow if line["role"] == "writer")
    assert "canary" not in repr(slow)
