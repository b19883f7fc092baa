"""A fault of ours, forced in one layer after the other (reliability J-18): the caller gets an id and nothing else."""

from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from tests.support.api import Api, make_event
from tests.support.checks import accepted, refused

WORDS = "what-the-fault-says-of-itself"
LAYERS = {
    "matching": ("conflicto.platform.http.routes.RouteTable.match", "GET", "", None),
    "admission": ("conflicto.access.admission.Admission.admit", "GET", "", None),
    "limits": ("conflicto.platform.limits.memory.MemoryLimiter.spend", "GET", "", None),
    "the gate": ("conflicto.platform.http.front_door.gated_body", "POST", "/lock", {"locked": True}),
    "memory": ("conflicto.feed.answers.Answers.session_status", "GET", "/status", None),
    "a query": ("conflicto.sessions.store.find", "GET", "", None),
    "a command": ("conflicto.sessions.commands.lock", "POST", "/lock", {"locked": True}),
    "a body": ("conflicto.sessions.schemas.session_out", "GET", "", None),
}


def broken(*asked: Any, **named: Any) -> NoReturn:
    raise RuntimeError(WORDS)


@pytest.mark.catalogue("J-18")
@pytest.mark.in_process
@pytest.mark.parametrize("layer", LAYERS)
async def test_a_fault_of_ours_says_nothing_of_itself(api: Api, layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    place, method, path, body = LAYERS[layer]
    kwargs = {} if body is None else {"json": body}

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(place, broken)
        answer = await api.request(method, event.path + path, token=event.host, **kwargs)

    problem = refused(answer, 500, "internal-error")
    assert WORDS not in answer.text + str(answer.headers.raw)
    assert problem["detail"] == problem["title"]
    assert WORDS in repr([line.get("exc_info") for line in logs if line["log_level"] == "error"])
    accepted(await api.request(method, event.path + path, token=event.host, **kwargs))
