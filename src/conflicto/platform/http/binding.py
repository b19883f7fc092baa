"""Binding of handlers: the arguments that a handler's signature declares, read from a request.

A handler is `async def name(self, request, ...) -> Response`. It may declare parameters of its path
by name, a `body`, and a `query`. The annotations of `body` and `query` are the models that validate
them and that the OpenAPI document shows.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from types import SimpleNamespace, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, ValidationError

from conflicto.platform.http.problem_response import invalid_input
from conflicto.platform.http.request_body import cancel_on_disconnect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from conflicto.platform.http.messages import Request, Response

    Handler = Callable[[Request], Awaitable[Response]]
    """Function that the pipeline calls."""

MISSING_BODY: Mapping[str, Any] = {"type": "missing", "loc": ("body",), "msg": "Field required"}

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs that a handler declares.

    - `names`: names of all parameters.
    - `body`, `query`: models, or None.
    - `body_is_optional`: the body may be missing or null; then the argument is None.
    """

    names: frozenset[str]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    body_is_optional: bool = False

    def read(self, path_names: Iterable[str], request: Request) -> dict[str, Any]:
        """Return the arguments beside `request`.

        Raises:
            InvalidInput: query or body do not match their models.
        """
        params = request.params
        arguments = {name: params[name] for name in path_names}
        errors: list[Mapping[str, Any]] = []
        if self.query is not None:
            fields = {name: request.query(name) for name in request.query_names()} if request.query_string else {}
            arguments["query"] = _validated(self.query, fields, "query", errors)
        if self.body is not None:
            arguments["body"] = self._read_body(self.body, request.body, errors)
        if errors:
            raise invalid_input(errors)
        return arguments

    def _read_body(self, model: type[BaseModel], body: bytes, errors: list[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - the declared model
        if not body:
            if not self.body_is_optional:
                errors.append(MISSING_BODY)
            return None
        if self.body_is_optional and body == b"null":
            return None
        return _validated(model, msgspec.json.decode(body), "body", errors)


def _validated(model: type[BaseModel], value: object, place: str, errors: list[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - an instance of `model`
    try:
        return model.__pydantic_validator__.validate_python(value, from_attributes=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        errors += ({**each, "loc": (place, *each["loc"])} for each in found)
        return None


def bind(endpoint: Callable[..., Awaitable[Response]], path_names: Iterable[str], *, cancels: bool) -> Handler:
    """Return the function that calls an endpoint with the arguments that it declares.

    `cancels`: a disconnect of the client cancels the call.
    """
    inputs = inputs_of(endpoint)
    declared = tuple(name for name in path_names if name in inputs.names)
    if cancels:
        return functools.partial(_call_until_disconnect, endpoint, functools.partial(inputs.read, declared))
    if declared or inputs.body or inputs.query:
        return lambda request: endpoint(request, **inputs.read(declared, request))
    return endpoint


async def _call_until_disconnect(
    endpoint: Callable[..., Awaitable[Response]], read: Callable[[Request], dict[str, Any]], request: Request
) -> Response:
    async with cancel_on_disconnect(request):
        return await endpoint(request, **read(request))


def inputs_of(endpoint: Callable[..., Any]) -> Inputs:
    """Return the inputs that an endpoint declares: a function, a method or a partial of one."""
    function = getattr(endpoint, "func", endpoint)
    return _inputs_of(getattr(function, "__func__", function))


@functools.cache
def _inputs_of(function: Callable[..., Any]) -> Inputs:
    """Read a signature, once for each function.

    Annotations are evaluated for `body` and `query` only, so others may be unknown at run time.
    """
    parameters = inspect.signature(function).parameters
    annotations = {name: parameters[name].annotation for name in ("body", "query") if name in parameters}
    hints = get_type_hints(SimpleNamespace(__annotations__=annotations), getattr(function, "__globals__", {}))
    body, is_optional = _without_none(hints.get("body"))
    return Inputs(names=frozenset(parameters), body=body, query=hints.get("query"), body_is_optional=is_optional)


def _without_none(hint: Any) -> tuple[type[BaseModel] | None, bool]:  # noqa: ANN401 - an annotation
    if get_origin(hint) is not UnionType:
        return hint, False
    (model,) = (each for each in get_args(hint) if each is not type(None))
    return model, True


def json_texts(request: Request) -> dict[str, str]:
    """Return the JSON text of each field of a checked body, byte for byte as it will be stored."""
    return {name: bytes(raw).decode() for name, raw in _decode_members(request.body).items()}
