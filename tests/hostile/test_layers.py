"""Internal errors, forced in each layer (reliability J-18): the caller gets an id, nothing else."""

from typing import Any, NoReturn

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from tests.support.api import Api, make_event
from tests.support.checks import accepted, refused

WORDS = "what-the-fault-says-of-itself"
LAYERS = {
    "matching": ("conflicto.platform.http.route_table.RouteTable.match", "GET", "", None),
    "authentication": ("conflicto.session_state.authentication.TokenAuthenticator.authenticate", "GET", "", None),
    "limits": ("conflicto.platform.limits.memory.MemoryLimiter.bucket", "GET", "", None),
    "access of a known caller": ("conflicto.session_state.authentication.TokenAuthenticator.require_access", "GET", "", None),
    "the gate": ("conflicto.platform.http.request_pipeline.check_body", "POST", "/lock", {"locked": True}),
    "memory": ("conflicto.feed.poll_handler.PollHandler.session_status", "GET", "/status", None),
    "a query": ("conflicto.sessions.store.find", "GET", "", None),
    "a command": ("conflicto.sessions.commands.set_locked", "POST", "/lock", {"locked": True}),
    "a body": ("conflicto.sessions.schemas.session_out", "GET", "", None),
}


OF_NEW_CALLERS = {"authentication", "limits"}
"""Layers that a caller passes once, until their cached authentication ends."""

PAGES = {
    "a page": ("conflicto.web.page_renderer.PageRenderer.render", "/host"),
    "a form": ("conflicto.web.pages.query_fields", "/join?code=BCDFGHJK"),
}


def broken(*args: Any, **named: Any) -> NoReturn:
    raise RuntimeError(WORDS)


@pytest.mark.catalogue("J-18")
@pytest.mark.in_process
@pytest.mark.parametrize("layer", LAYERS)
async def test_an_internal_error_reveals_no_details(api: Api, layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    event = await make_event(api)
    place, method, path, body = LAYERS[layer]
    kwargs = {} if body is None else {"json": body}
    token = event.screen if layer in OF_NEW_CALLERS else event.host

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(place, broken)
        answer = await api.request(method, event.path + path, token=token, **kwargs)

    problem = refused(answer, 500, "internal-error")
    assert WORDS not in answer.text + str(answer.headers.raw)
    assert problem["detail"] == problem["title"]
    assert WORDS in repr([line.get("exc_info") for line in logs if line["log_level"] == "error"])
    accepted(await api.request(method, event.path + path, token=token, **kwargs))


@pytest.mark.catalogue("J-18")
@pytest.mark.in_process
@pytest.mark.parametrize("layer", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_internal_error_in_a_page_reveals_no_details(
    api: Api, layer: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, path = PAGES[layer]
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(place, broken)
        answer = await api.http.request(method, path)

    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["x-request-id"] in repr(logs)
    assert WORDS not in answer.text + str(answer.headers.raw)
    assert (method == "HEAD") == (answer.content == b"")
    assert (await api.http.request(method, path)).status_code in {200, 303}


@pytest.mark.catalogue("J-18")
@pytest.mark.in_process
async def test_a_database_that_is_down_returns_unavailable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: Any, **named: Any) -> NoReturn:
        raise OperationalError("SELECT", {}, Exception(WORDS))

    event = await make_event(api)
    activity, seat = await event.activity(status="active"), await event.join()
    with monkeypatch.context() as patched:
        patched.setattr(api.app.platform.db._readers, "connect", down)
        patched.setattr(api.app.platform.db._writer, "connect", down)
        answers = [
            await api.get(event.path, token=event.host),
            await api.get(f"{event.path}/participants", token=event.host),
            await api.post(f"{event.path}/lock", {"locked": True}, token=event.host),
            await event.answer(activity, seat, 1),
            await api.post(f"{event.path}/join", {"nickname": "Late", "code": event.code}),
            await api.get("/health/ready"),
        ]

    for answer in answers:
        assert (answer.status_code, bool(answer.headers.get("retry-after"))) == (503, True), answer.text
        assert WORDS not in answer.text
    assert accepted(await event.answer(activity, seat, 1), 201)
