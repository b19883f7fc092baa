"""Response headers of every route, and access from other origins (CORS)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from conflicto.app import App
from conflicto.platform.http.routes import Route
from conflicto.settings import Settings
from tests.support.api import Api, Event, make_event
from tests.support.checks import accepted
from tests.support.clocks import HandClock
from tests.support.walking import filled, fitting_body, walked

NOT_KEPT, REVALIDATED = "no-store", "private, no-cache"
KINDS = {
    REVALIDATED: {
        "/api/v1/activity-types/{type}", "/api/v1/sessions/{session_id}", "/api/v1/sessions/{session_id}/status",
        "/api/v1/sessions/{session_id}/leaderboard",
        "/api/v1/sessions/{session_id}/changes/since/{timestamp}", "/api/v1/sessions/{session_id}/activities/{activity_id}",
        "/api/v1/sessions/{session_id}/activities/{activity_id}/status", "/api/v1/sessions/{session_id}/activities/active",
        "/api/v1/sessions/{session_id}/activities/{activity_id}/results", "/api/v1/activities/{activity_id}",
        "/api/v1/sessions/{session_id}/activities/{activity_id}/responses/since/{timestamp}",
    },
    "no-cache": {"/api/v1/openapi.json"},
    "public, max-age=3600": {"/problems/{code}"},
    "public, max-age=300": {"/.well-known/jwks.json"},
    NOT_KEPT: {
        "/api/v1/sessions", "/api/v1/sessions/{session_id}/transitions", "/api/v1/sessions/by-code/{code}",
        "/api/v1/sessions/{session_id}/activities", "/api/v1/sessions/{session_id}/nicknames/validate",
        "/api/v1/sessions/{session_id}/participants", "/api/v1/sessions/{session_id}/activities/{activity_id}/responses",
        "/api/v1/sessions/{session_id}/activities/{activity_id}/responses/mine", "/api/v1/participants/me",
        "/api/v1/sessions/{session_id}/activities/{activity_id}/responses/{response_id}", "/api/v1/activity-types",
        "/api/v1/rejected-activity-types",
        "/api/v1/sessions/{session_id}/names", "/api/v1/sessions/{session_id}/links",
        "/api/v1/sessions/{session_id}/rehearsal", "/api/v1/sessions/{session_id}/export",
        "/api/v1/sessions/{session_id}/activity-types",
        "/api/v1/sessions/{session_id}/view-faults", "/api/v1/sessions/{session_id}/exports/{export_id}",
        "/api/v1/sessions/{session_id}/exports/{export_id}/file",
        "/health/live", "/health/ready", "/metrics",
    },
}  # fmt: skip
"""Cache lifetime of GET responses by path. Responses to other methods are never cached."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types conflicto"
)
EVERYWHERE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
NEVER = {"set-cookie", "server", "x-powered-by", "access-control-allow-credentials"}
PROBLEM = {"content-type": "application/problem+json", "cache-control": NOT_KEPT}

FRIEND, FOE = "https://friend.example", "https://foe.example"
OF_FORMS = ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x")
"""Content types that a page of another origin can send without a preflight request."""
PATHS_OF_PAGES = ("/", "/j/BCDFGHJK", "/p/1", "/host", "/host/s/1", "/host/s/1/report", "/screen/1")


def kept(route: Route) -> str:
    """Return the cache policy of a route's responses. A new route must be listed in `KINDS`."""
    return next(headers for headers, paths in KINDS.items() if route.path in paths) if route.method == "GET" else NOT_KEPT


async def ids_of(event: Event) -> dict[str, Any]:
    """Return path parameters of existing objects."""
    board = await event.activity(status="active", results_visibility="always", aggregate={"all": {"path": "", "op": "count"}})
    anna = await event.join()
    sent = accepted(await event.answer(board, anna, 1), 201)
    return {
        "session_id": event.id, "activity_id": board["id"], "response_id": sent["id"], "link_id": sent["id"],
        "export_id": await event.exported(), "participant_id": anna.id,
        "code": event.code, "timestamp": "0", "type": "poll",
    }  # fmt: skip


@pytest.mark.catalogue("W-02")
async def test_every_answer_has_the_headers_of_its_kind(api: Api) -> None:
    event = await make_event(api)
    ids, served = await ids_of(event), set()
    assert {path for paths in KINDS.values() for path in paths} == {
        each.path for each in walked(api.app.edge.routes) if each.method == "GET"
    }
    for route in sorted(walked(api.app.edge.routes), key=lambda each: (each.method == "DELETE", each.method != "GET")):
        body = {} if fitting_body(route) is None else {"json": fitting_body(route)}
        for token in (event.host, "nobody's"):
            answer = await api.request(route.method, filled(route, **ids), token=token, **body)
            headers, name = answer.headers, (route.name, answer.status_code)
            assert {key: headers.get(key) for key in EVERYWHERE} == EVERYWHERE, name
            assert NEVER & set(headers) == set(), name
            if answer.is_error:
                assert {key: headers.get(key) for key in PROBLEM} == PROBLEM, name
            else:
                served.add(route.path)
                assert headers["cache-control"] == kept(route), name
                assert ("authorization" in headers.get("vary", "").lower()) == (kept(route) == REVALIDATED), name
    assert {path for headers, paths in KINDS.items() for path in paths if headers != NOT_KEPT} <= served


@pytest.mark.catalogue("W-02")
@pytest.mark.parametrize("path", [*PATHS_OF_PAGES, "/join?code=bcdfghjk", "/sw.js", "/favicon.ico"])
async def test_every_page_forbids_framing_sniffing_and_referrers(api: Api, path: str) -> None:
    headers = (await api.http.get(path)).headers
    assert {key: headers.get(key) for key in EVERYWHERE} == EVERYWHERE
    assert headers["content-security-policy"] == POLICY
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=(), payment=()"
    assert "access-control-allow-origin" not in headers


@pytest.fixture
async def friendly(settings: Settings, clock: HandClock) -> AsyncIterator[Api]:
    """Yield the API of a server that allows one other origin."""
    named = settings.model_copy(update={"cors_origins": [FRIEND]})
    async with App(named, clock=clock).running() as app:
        client = Api(app)
        yield client
        await client.http.aclose()


async def lets_in(api: Api, method: str, path: str, origin: str, token: str | None) -> tuple[bool, bool]:
    """Return whether a browser shows an origin the response, and whether it sends the request."""
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": "authorization"}
    before = await api.http.options(path, headers=headers)
    answer = await api.request(method, path, token=token, headers={"origin": origin}, json={"no": "such field"})
    for sent in (before.headers, answer.headers):
        assert sent.get("access-control-allow-origin") in {None, origin}
        assert "access-control-allow-credentials" not in sent
    allowed = answer.headers.get("access-control-allow-origin") == origin
    assert "origin" in answer.headers.get("vary", "").lower() or not api.app.platform.settings.cors_origins
    return allowed, before.is_success and before.headers.get("access-control-allow-origin") == origin


@pytest.mark.in_process
@pytest.mark.catalogue("W-03")
async def test_only_configured_origins_are_allowed_on_every_route(friendly: Api) -> None:
    event = await make_event(friendly)
    ids = await ids_of(event)
    for route in walked(friendly.app.edge.routes):
        for origin, wanted in ((FRIEND, True), (FOE, False), ("null", False), (FRIEND.upper(), False), (f"{FRIEND}.foe", False)):
            found = await lets_in(
                friendly, route.method, filled(route, **ids), origin, event.host if route.method == "GET" else None
            )
            assert found == (wanted, wanted), (route.name, origin)


@pytest.mark.catalogue("W-03")
async def test_without_configured_origins_none_is_allowed(api: Api) -> None:
    event = await make_event(api)
    for path in (f"/api/v1{event.path}", f"/api/v1{event.path}/status", "/api/v1/join", "/health/live"):
        for origin in (FRIEND, "null"):
            assert await lets_in(api, "GET", path, origin, event.host) == (False, False)


@pytest.mark.catalogue("W-03", "J-10")
async def test_a_form_of_another_site_changes_nothing(api: Api) -> None:
    """A cookie is no token, and routes without a token accept no form.

    Routes that need a token ask for it before they read the body.
    """
    event = await make_event(api)
    ids = await ids_of(event)
    before = [(await api.get(event.path + path, token=event.host)).json() for path in ("", "/activities", "/participants")]
    for route in (each for each in walked(api.app.edge.routes) if each.method == "POST"):
        for kind in OF_FORMS:
            headers = {"content-type": kind, "origin": FOE, "sec-fetch-site": "cross-site", "cookie": f"token={event.host}"}
            content = b'{"nickname":"Mallory","code":"' + event.code.encode() + b'"}'
            answer = await api.http.post(filled(route, **ids), content=content, headers=headers)
            wanted = (401, "token-missing") if route.roles else (415, "media-type-unsupported")
            assert (answer.status_code, answer.json()["code"]) == wanted, (route.name, kind, answer.text)
    after = [(await api.get(event.path + path, token=event.host)).json() for path in ("", "/activities", "/participants")]
    for person in [*before[2]["items"], *after[2]["items"]]:
        person.pop("presence")
    assert after == before
