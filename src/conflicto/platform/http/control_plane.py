"""Control plane: FastAPI validates bodies and queries and generates the OpenAPI document.

The request pipeline does all other steps. Data-plane routes are declared here too, so that one
document describes both planes. Their requests never reach the framework.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import Depends, FastAPI
from fastapi import Request as FrameworkRequest
from fastapi import Response as FrameworkResponse
from fastapi.exceptions import RequestValidationError

from conflicto.platform.http.messages import Request, Response
from conflicto.platform.http.openapi.document import finish_document, schemas_of
from conflicto.platform.http.openapi.operations import extra_of, operation_id, responses_of
from conflicto.platform.http.openapi.problems import problems_of
from conflicto.platform.http.problem_response import invalid_input, problem_code, problem_response
from conflicto.platform.http.request_body import cancel_on_disconnect
from conflicto.platform.http.routes import PREFIX
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from conflicto.platform.http.openapi.problems import Problems, Refusals
    from conflicto.platform.http.routes import Route

REQUEST, SERVER = "conflicto.request", "conflicto.server"
"""Keys of the ASGI scope: the request, and the installation's id for problem documents."""

_FRAMEWORKS: dict[tuple[Callable[..., Any], str], FastAPI] = {}
"""FastAPI application of each endpoint, by its function and the route's name, for this process."""


async def _current_request(framework_request: FrameworkRequest) -> Request:
    request: Request = framework_request.scope[REQUEST]
    return request


CurrentRequest = Annotated[Request, Depends(_current_request)]
"""Parameter type of control-plane endpoints: the request that passed the pipeline."""


def json_texts(request: Request) -> dict[str, str]:
    """Return the JSON text of each field of a checked body, byte for byte as it will be stored."""
    return {name: bytes(raw).decode() for name, raw in msgspec.json.decode(request.body, type=dict[str, msgspec.Raw]).items()}


class ControlPlane:
    """Runs the framework for one request and returns its response."""

    def __init__(self, routes: list[Route], *, about: Mapping[str, str], refusals: Refusals, server: str) -> None:
        self.routes = routes
        self._server = server
        self._about = about
        self._refusals = refusals
        self._document: dict[str, Any] | None = None

    @functools.cached_property
    def problems(self) -> dict[str, Problems]:
        """Problems of each route, by its name. Only documentation uses them."""
        return {route.name: problems_of(route, self._refusals) for route in self.routes}

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document of both planes.

        It is generated at the first call, because that is slow.
        """
        if self._document is None:
            described = FastAPI(
                title=self._about["title"], version=self._about["version"], description=self._about["description"],
                openapi_url=None, separate_input_output_schemas=False,
            )  # fmt: skip
            for route in self.routes:
                _describe(described, route, responses_of(route, self.problems[route.name]))
            bodies = [route.docs.request for route in self.routes if route.docs.request]
            queries = [route.docs.query for route in self.routes if route.docs.query]
            schemas = schemas_of(bodies, queries)
            self._document = finish_document(described.openapi(), self.problems.values(), schemas, self._about)
        return self._document

    async def respond(self, scope: dict[str, Any], request: Request) -> Response:
        """Return the framework's response to a request whose body was read and checked.

        Raises:
            ClientDisconnected: the client disconnected.
        """
        collected: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                collected.update(message)
            else:
                collected["body"] += message.get("body", b"")

        # Endpoints read headers from the request. The framework parses cookies in quadratic time
        # (CVE-2024-7592).
        request_headers = [(b"content-length", str(len(request.body)).encode()), (b"content-type", b"application/json")]
        query = request.normalized_query() if request.route.path.startswith(PREFIX) else request.query_string
        replaced = {"query_string": query, "headers": request_headers, "method": request.route.method}
        async with cancel_on_disconnect(request):
            await _framework(request.route)({**scope, REQUEST: request, SERVER: self._server, **replaced}, receive, send)
        headers = tuple(header for header in collected["headers"] if header[0] != b"content-length")
        return Response(collected["status"], collected["body"], headers)


def _framework(route: Route) -> FastAPI:
    """Return the FastAPI application of one route, created at its first request.

    The pipeline has matched the route already. Reading the signatures of all endpoints would take
    longer than the rest of a start, and one application would search them at each request.
    """
    function = getattr(route.endpoint, "__func__", route.endpoint)
    framework = _FRAMEWORKS.get((function, route.name))
    if framework is None:
        framework = _FRAMEWORKS[function, route.name] = _create_framework(route, function)
    return framework


def _create_framework(route: Route, function: Callable[..., Awaitable[Response]]) -> FastAPI:
    framework = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    framework.add_exception_handler(DomainError, _on_error)
    framework.add_exception_handler(RequestValidationError, _on_invalid)
    endpoint = _as_framework_endpoint(function, inspect.signature(route.endpoint))
    framework.add_api_route(route.path, endpoint, methods=[route.method], response_model=None, response_class=FrameworkResponse)
    return framework


def _describe(described: FastAPI, route: Route, responses: dict[int | str, dict[str, Any]]) -> None:
    described.add_api_route(
        route.path,
        route.endpoint if route.handler is None else _placeholder,
        methods=[route.method],
        response_model=None,
        summary=route.docs.summary,
        description=inspect.getdoc(route.endpoint) or "",
        operation_id=operation_id(route),
        tags=[route.tag],
        responses=responses,
        openapi_extra=extra_of(route),
        status_code=min(route.docs.responses, default=200),
        response_class=FrameworkResponse,
    )


async def _placeholder() -> None:
    """Stand in for a data-plane handler, whose parameter the framework cannot read."""


def _as_framework_endpoint(
    function: Callable[..., Awaitable[Response]], signature: inspect.Signature
) -> Callable[..., Awaitable[FrameworkResponse]]:
    """Return the function that the framework calls, with the signature of the bound endpoint.

    It reads the endpoint from the request, so that the cache holds no application.
    """

    @functools.wraps(function)
    async def respond(request: Request, **fields: Any) -> FrameworkResponse:  # noqa: ANN401 - the endpoint's own
        return _framework_response(await request.route.endpoint(request=request, **fields))

    respond.__signature__ = signature  # type: ignore[attr-defined]
    return respond


def _framework_response(response: Response) -> FrameworkResponse:
    converted = FrameworkResponse(response.body, status_code=response.status)
    converted.raw_headers = list(response.headers)
    return converted


async def _on_error(framework_request: FrameworkRequest, error: Exception) -> FrameworkResponse:
    framework_request.scope[REQUEST].problem = problem_code(error)
    return _framework_response(
        problem_response(error, request_id=framework_request.scope[REQUEST].request_id, server=framework_request.scope[SERVER])
    )


async def _on_invalid(framework_request: FrameworkRequest, error: Exception) -> FrameworkResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return await _on_error(framework_request, invalid_input(list(error.errors())))
