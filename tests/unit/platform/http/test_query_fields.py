import pytest

from conflicto.platform.http.messages import Request, Response
from conflicto.platform.http.paging import PageQuery
from conflicto.platform.http.query_fields import require_known_fields
from conflicto.platform.http.routes import Docs, Route
from conflicto.platform.http.routes import route as declare
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import InvalidInput

MARKER = "sesame"


async def handler(request: Request) -> Response:
    return Response(200)


class Endpoints:
    async def page(self, request: Request, session_id: int, query: PageQuery) -> Response:
        return Response(200)

    async def plain(self, request: Request, session_id: int) -> Response:
        return Response(200)


COMMON = {"roles": frozenset(), "policy": Policy("p", 1, 1)}
POLLED = declare("GET", "/feed", handler, docs=Docs(summary="", query=PageQuery), **COMMON)
SENT = declare("POST", "/join", handler, docs=Docs(summary=""), **COMMON)
LISTED = declare("GET", "/list", Endpoints().page, docs=Docs(summary=""), **COMMON)
MADE = declare("POST", "/made", Endpoints().plain, docs=Docs(summary=""), **COMMON)
OPERATORS = declare("GET", "/health/live", Endpoints().plain, prefix="", docs=Docs(summary=""), **COMMON)


def request(route: Route, query: str) -> Request:
    return Request(route=route, params={}, headers=[], query_string=query.encode(), address="", request_id="1")


@pytest.mark.parametrize(
    "query", ["limit=5", "offset=1&limit=5", "limit=5&limit=6", "limit", "limit=%66oo", "l%69mit=5", "&&limit=1&"]
)
@pytest.mark.parametrize("route", [POLLED, LISTED])
def test_declared_fields_pass_with_any_value(route: Route, query: str) -> None:
    require_known_fields(request(route, query))


@pytest.mark.parametrize("query", [MARKER, f"{MARKER}=1", f"limit=5&{MARKER}=", "Limit=5", "limit%20=5", "=5", "limit%5B%5D=5"])
@pytest.mark.parametrize("route", [POLLED, LISTED, SENT, MADE])
def test_unknown_fields_are_refused_without_their_names(route: Route, query: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_known_fields(request(route, query))

    (error,) = refused.value.errors
    assert (error.pointer, MARKER in error.message) == ("/query", False)


def test_a_route_without_fields_refuses_all() -> None:
    for route in (SENT, MADE):
        require_known_fields(request(route, ""))
        with pytest.raises(InvalidInput):
            require_known_fields(request(route, "limit=5"))


@pytest.mark.parametrize("query", ["limit=%ff", "&".join("limit=1" for _ in range(101))])
def test_an_invalid_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidInput):
        require_known_fields(request(POLLED, query))


def test_routes_outside_the_api_accept_all_fields() -> None:
    require_known_fields(request(OPERATORS, f"{MARKER}=1"))


def test_a_query_is_declared_by_signature_or_documented() -> None:
    assert [route.query for route in (POLLED, LISTED, SENT, MADE)] == [PageQuery, PageQuery, None, None]
