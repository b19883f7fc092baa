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
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, ValidationError

from conflicto.platform.http.formats import AS_TEXT
from conflicto.platform.http.problem_response import invalid_input
from conflicto.platform.http.request_body import until_disconnect
from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from conflicto.platform.http.messages import Request, Response

    Endpoint = Callable[..., Awaitable[Response]]
    """Function of a route, with the arguments that it declares."""

    Handler = Callable[[Request], Awaitable[Response]]
    """Function that the pipeline calls."""

M = TypeVar("M", bound=BaseModel)

_decode = msgspec.json.Decoder().decode
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

    def read(self, request: Request) -> dict[str, Any]:
        """Return `body` and `query`, as far as they are declared.

        Raises:
            InvalidInput: query or body do not match their models.
        """
        arguments: dict[str, Any] = {}
        errors: tuple[FieldError, ...] = ()
        if self.query is not None:
            try:
                arguments["query"] = decode_query(self.query, request)
            except InvalidInput as error:
                errors = error.errors
        if self.body is not None:
            try:
                arguments["body"] = None if self._has_no_body(request) else decode_body(self.body, request.body)
            except InvalidInput as error:
                errors += error.errors
        if errors:
            raise InvalidInput(errors=errors)
        return arguments

    def _has_no_body(self, request: Request) -> bool:
        return self.body_is_optional and request.body in {b"", b"null"}


def decode_body(model: type[M], body: bytes) -> M:
    """Return a checked body as a model; members of the type `JsonText` are JSON text.

    Raises:
        InvalidInput: it does not match.
    """
    if not body:
        raise invalid_input([{"type": "missing", "loc": (), "msg": "Field required"}])
    texts = _text_members(model)
    value = _with_texts(body, texts) if texts else _decode(body)
    try:
        decoded: M = model.__pydantic_validator__.validate_python(value, from_attributes=True)
    except ValidationError as error:
        raise invalid_input(error.errors(include_url=False, include_input=False), model) from error
    return decoded


def decode_query(model: type[M], request: Request) -> M:
    """Return a query as a model.

    Raises:
        InvalidInput: it does not match.
    """
    fields = {name: request.query(name) for name in request.query_names()}
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        found = invalid_input(error.errors(include_url=False, include_input=False), model).errors
        raise InvalidInput(errors=tuple(FieldError(f"/query{each.pointer}", each.message) for each in found)) from error


@functools.cache
def _text_members(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, member in model.model_fields.items() if AS_TEXT in member.metadata)


def _with_texts(body: bytes, texts: frozenset[str]) -> Any:  # noqa: ANN401 - any JSON
    """Decode a body, except the members `texts`: they stay JSON text, byte for byte as sent."""
    try:
        members: dict[str, Any] = _decode_members(body)
    except msgspec.ValidationError:  # no object
        return _decode(body)
    for name, raw in members.items():
        members[name] = bytes(raw).decode() if name in texts else _decode(raw)
    return members


def bind(endpoint: Endpoint, path_names: Iterable[str], *, cancels: bool) -> Handler:
    """Return the function that calls an endpoint with the arguments that it declares.

    `cancels`: a disconnect of the client cancels the call.
    """
    inputs = inputs_of(endpoint)
    bound = _bind_inputs(endpoint, inputs, tuple(name for name in path_names if name in inputs.names))
    return functools.partial(_call_until_disconnect, bound) if cancels else bound


def _bind_inputs(endpoint: Endpoint, inputs: Inputs, declared: tuple[str, ...]) -> Handler:
    """Bind with as few calls as the declared inputs allow."""
    if inputs.query is None and not inputs.body_is_optional and not declared:
        model = inputs.body
        return endpoint if model is None else lambda request: endpoint(request, body=decode_body(model, request.body))

    def handler(request: Request) -> Awaitable[Response]:
        params = request.params
        return endpoint(request, **{name: params[name] for name in declared}, **inputs.read(request))

    return handler


async def _call_until_disconnect(handler: Handler, request: Request) -> Response:
    return await until_disconnect(request, handler(request))


def inputs_of(endpoint: Endpoint) -> Inputs:
    """Return the inputs that an endpoint declares: a function, a method or a partial of one."""
    function = getattr(endpoint, "func", endpoint)
    return _inputs_of(getattr(function, "__func__", function))


@functools.cache
def _inputs_of(function: Endpoint) -> Inputs:
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
