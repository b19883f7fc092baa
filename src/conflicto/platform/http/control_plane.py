"""The control plane: FastAPI validates bodies and queries and writes the OpenAPI document; the front door has done the rest.

Data-plane routes are declared here too, so that one document describes both planes; their requests never come this far.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from conflicto.platform.http.body import ending_with_caller
from conflicto.platform.http.messages import Answer, Call
from conflicto.platform.http.openapi.document import finished, schemas_of
from conflicto.platform.http.openapi.operations import extra_of, operation_id, responses_of
from conflicto.platform.http.openapi.problems import problems_of
from conflicto.platform.http.problem_response import code_of, invalid_input, problem_answer
from conflicto.platform.http.routes import PREFIX
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from conflicto.platform.http.openapi.problems import Problems, Refusals
    from conflicto.platform.http.routes import Route

CALL, SERVER = "conflicto.call", "conflicto.server"
"""Members of a scope: the call, and the id of the installation that problem documents name."""

_FRAMEWORKS: dict[tuple[Callable[..., Any], str], FastAPI] = {}
"""The framework around each endpoint by its function and the route's name, for every application of this process."""


async def _current_call(request: Request) -> Call:
    call: Call = request.scope[CALL]
    return call


CurrentCall = Annotated[Call, Depends(_current_call)]
"""The request behind the front door, for handlers of the control plane."""


def json_texts(call: Call) -> dict[str, str]:
    """Return the fields of a gated body as their own JSON text, byte for byte as they will be stored."""
    return {name: bytes(raw).decode() for name, raw in msgspec.json.decode(call.body, type=dict[str, msgspec.Raw]).items()}


class ControlPlane:
    """Runs the framework for one call and hands its response back as an `Answer`."""

    def __init__(self, routes: list[Route], *, about: Mapping[str, str], refusals: Refusals, server: str) -> None:
        self.routes = routes
        self._server = server
        self._about = about
        self._refusals = refusals
        self._document: dict[str, Any] | None = None

    @functools.cached_property
    def problems(self) -> dict[str, Problems]:
        """The problems that each route may answer with, by its name; only the documents ask."""
        return {route.name: problems_of(route, self._refusals) for route in self.routes}

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document of both planes; describing every route takes long, so it is made when first asked for."""
        if self._document is None:
            described = FastAPI(
                title=self._about["title"], version=self._about["version"], description=self._about["description"],
                openapi_url=None, separate_input_output_schemas=False,
            )  # fmt: skip
            for route in self.routes:
                _describe(described, route, responses_of(route, self.problems[route.name]))
            bodies = [route.docs.takes for route in self.routes if route.docs.takes]
            queries = [route.docs.query for route in self.routes if route.docs.query]
            schemas = schemas_of(bodies, queries)
            self._document = finished(described.openapi(), self.problems.values(), schemas, self._about)
        return self._document

    async def answer(self, scope: dict[str, Any], call: Call) -> Answer:
        """Let the framework answer a call whose body was read and gated; a caller without a body who goes away ends it.

        Raises:
            ClientGone: that happened.
        """
        collected: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": call.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                collected.update(message)
            else:
                collected["body"] += message.get("body", b"")

        # No other header goes on: endpoints ask the call, and the framework parses cookies in quadratic time (CVE-2024-7592).
        headers = [(b"content-length", str(len(call.body)).encode()), (b"content-type", b"application/json")]
        query = call.query_once() if call.route.path.startswith(PREFIX) else call.query_string
        asked = {"query_string": query, "headers": headers, "method": call.route.method}
        async with ending_with_caller(call):
            await _framework(call.route)({**scope, CALL: call, SERVER: self._server, **asked}, receive, send)
        kept = tuple(header for header in collected["headers"] if header[0] != b"content-length")
        return Answer(collected["status"], collected["body"], kept)


def _framework(route: Route) -> FastAPI:
    """Return the framework around one route, made at its first call: the front door has matched the route already.

    Reading the signatures of all of them takes longer than the rest of a start, and one framework would walk them at each call.
    """
    function = getattr(route.endpoint, "__func__", route.endpoint)
    framed = _FRAMEWORKS.get((function, route.name))
    if framed is None:
        framed = _FRAMEWORKS[function, route.name] = _framed(route, function)
    return framed


def _framed(route: Route, function: Callable[..., Awaitable[Answer]]) -> FastAPI:
    framed = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    framed.add_exception_handler(DomainError, _on_error)
    framed.add_exception_handler(RequestValidationError, _on_invalid)
    endpoint = _as_response(function, inspect.signature(route.endpoint))
    framed.add_api_route(route.path, endpoint, methods=[route.method], response_model=None, response_class=Response)
    return framed


def _describe(described: FastAPI, route: Route, responses: dict[int | str, dict[str, Any]]) -> None:
    described.add_api_route(
        route.path,
        route.endpoint if route.handler is None else _nothing,
        methods=[route.method],
        response_model=None,
        summary=route.docs.summary,
        description=inspect.getdoc(route.endpoint) or "",
        operation_id=operation_id(route),
        tags=[route.tag],
        responses=responses,
        openapi_extra=extra_of(route),
        status_code=min(route.docs.gives, default=200),
        response_class=Response,
    )


async def _nothing() -> None:
    """Stand in the document for a data-plane function, whose one argument says nothing to the framework."""


def _as_response(function: Callable[..., Awaitable[Answer]], signature: inspect.Signature) -> Callable[..., Awaitable[Response]]:
    """Return what the framework calls, with the signature of the bound endpoint: that is found by the call, so no application is held."""

    @functools.wraps(function)
    async def respond(call: Call, **fields: Any) -> Response:  # noqa: ANN401 - the endpoint's own
        return _response(await call.route.endpoint(call=call, **fields))

    respond.__signature__ = signature  # type: ignore[attr-defined]
    return respond


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers = list(answer.headers)
    return response


async def _on_error(request: Request, error: Exception) -> Response:
    request.scope[CALL].problem = code_of(error)
    return _response(problem_answer(error, request_id=request.scope[CALL].request_id, server=request.scope[SERVER]))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return await _on_error(request, invalid_input(list(error.errors())))
