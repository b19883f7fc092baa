from typing import Any
from uuid import UUID

import pytest

from conflicto.platform.http import route_table as module
from conflicto.platform.http.messages import Request, Response
from conflicto.platform.http.route_table import MethodNotAllowed, RouteTable
from conflicto.platform.http.routes import Docs, Route
from conflicto.platform.http.routes import route as declare
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import DomainError, NotFound

POLICY = Policy("p", 1, 1)
ID = "8a5bd3a0-6a5c-4e3c-9d52-5c2ef1b9a0f4"


async def handler(request: Request) -> Response:
    return Response(200)


def route(method: str, path: str) -> Route:
    return declare(method, path, handler, roles=frozenset(), policy=POLICY, docs=Docs(summary=path))


@pytest.fixture
def table() -> RouteTable:
    paths = ["/sessions", "/sessions/{session_id:int}", "/sessions/by-code/{code}", "/sessions/{session_id:int}/activities/active",
             "/sessions/{session_id:int}/activities/{activity_id:uuid}", "/activities/{activity_id:uuid}/since/{timestamp}"]  # fmt: skip
    return RouteTable(
        [*(route("GET", path) for path in [*paths, "/files/{build}/{name:path}"]), route("DELETE", "/sessions/{session_id:int}")]
    )


@pytest.mark.parametrize(
    ("method", "path", "found", "params"),
    [
        ("GET", "/sessions", "/sessions", {}),
        ("GET", "/sessions/5", "/sessions/{session_id}", {"session_id": 5}),
        ("DELETE", "/sessions/5", "/sessions/{session_id}", {"session_id": 5}),
        ("HEAD", "/sessions/5", "/sessions/{session_id}", {"session_id": 5}),
        ("GET", "/sessions/by-code/ABC", "/sessions/by-code/{code}", {"code": "ABC"}),
        ("GET", "/sessions/by-code/", "/sessions/by-code/{code}", {"code": ""}),
        ("GET", "/sessions/5/activities/active", "/sessions/{session_id}/activities/active", {"session_id": 5}),
        (
            "GET",
            f"/sessions/5/activities/{ID}",
            "/sessions/{session_id}/activities/{activity_id}",
            {"session_id": 5, "activity_id": UUID(ID)},
        ),
        (
            "GET",
            f"/activities/{ID.upper()}/since/0",
            "/activities/{activity_id}/since/{timestamp}",
            {"activity_id": UUID(ID), "timestamp": "0"},
        ),
        ("GET", "/files/1/a/b.js", "/files/{build}/{name:path}", {"build": "1", "name": "a/b.js"}),
        ("HEAD", "/files/1/", "/files/{build}/{name:path}", {"build": "1", "name": ""}),
    ],
)
def test_paths_with_a_route(table: RouteTable, method: str, path: str, found: str, params: dict[str, Any]) -> None:
    for _ in range(2):
        matched, parsed = table.match(method, "/api/v1" + path)
        assert (matched.path, parsed) == ("/api/v1" + found, params)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/session",
        "/sessions/",
        "/sessions/0",
        "/sessions/-1",
        "/sessions/x",
        "/sessions/05",
        "/sessions/1" + "0" * 15,
        "/sessions/\u0665",
        "/sessions/5/",
        "/sessions/5/activities",
        "/sessions/5/activities/5",
        f"/sessions/5/activities/{ID}/x",
        f"/sessions/5/activities/{{{ID}}}",
        f"/sessions/5/activities/{ID.replace('-', '')}",
        "/sessions/5/x/y/z/w",
        "//sessions",
        "/sessions/by-code",
    ],
)
def test_paths_without_a_route(table: RouteTable, path: str) -> None:
    with pytest.raises(NotFound):
        table.match("GET", "/api/v1" + path)


def test_other_methods_get_the_allowed_ones(table: RouteTable) -> None:
    with pytest.raises(MethodNotAllowed) as raised:
        table.match("PUT", "/api/v1/sessions/5")

    assert raised.value.extensions == {"allowed": ["DELETE", "GET"]}


@pytest.mark.parametrize("path", ["/api/v1/sessions/\x00", "/api/v1/\n", "/api/v1/sessions/by-code/\ud800", "/" + "x" * 3000])
def test_a_path_that_is_no_text_is_refused(table: RouteTable, path: str) -> None:
    with pytest.raises(DomainError) as raised:
        table.match("GET", path)

    assert raised.value.code == "text-invalid"


def test_memory_of_addresses_is_bounded(table: RouteTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CACHED_PATHS", 3)
    for number in range(1, 9):
        assert table.match("GET", f"/api/v1/sessions/{number}")[1] == {"session_id": number}

    assert len(table._cache) <= 3


def test_nothing_is_declared_twice() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        RouteTable([route("GET", "/sessions"), route("GET", "/sessions")])


def test_route_cannot_be_created_without_roles() -> None:
    with pytest.raises(TypeError, match="roles"):
        declare("GET", "/sessions", handler, policy=POLICY, docs=Docs(summary=""))
    assert route("GET", "/x").name == "GET /api/v1/x"


def test_paths_that_clients_make_up_take_little_memory(table: RouteTable) -> None:
    """Long paths are not cached, since few of our paths are long."""
    long, foreign = "x" * module.MAX_CACHED_PATH_CHARS, "\N{SLICE OF PIZZA}"
    for path in ("ABC", long, foreign):
        for _ in range(2):
            assert table.match("GET", f"/api/v1/sessions/by-code/{path}")[1] == {"code": path}
    assert [path for _, path in table._cache] == ["/api/v1/sessions/by-code/ABC"]


@pytest.mark.parametrize("template", ["/sessions/{session_id:integer}", "/x/{a:}{b:float}"])
def test_a_parameter_of_an_unknown_type_is_refused(template: str) -> None:
    with pytest.raises(KeyError):
        route("GET", template)
