"""Background tasks of a process: a failure ends none of them for good."""

import asyncio

import pytest
from structlog.testing import capture_logs

from conflicto.app import App, lifespan
from conflicto.platform.cache_budget import CacheBudget
from conflicto.settings import Settings
from tests.support.patience import PATIENCE_S


@pytest.mark.in_process
async def test_a_background_task_that_fails_begins_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, is_running = [], asyncio.Event()

    async def fail_once(self: CacheBudget) -> None:
        begun.append(self)
        if len(begun) == 1:
            raise OSError
        is_running.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(lifespan, "PAUSE_AFTER_FAILURE_S", 0.0)
    monkeypatch.setattr(CacheBudget, "run", fail_once)
    with capture_logs() as lines:
        async with App(settings).running():
            async with asyncio.timeout(PATIENCE_S):
                await is_running.wait()
    assert [(line["log_level"], "fail_once" in line["task"]) for line in lines if line["event"] == "background-task-failed"] == [
        ("error", True)
    ]
