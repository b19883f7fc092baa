"""Routes: declarations of the API's routes.

A route cannot be created without its roles, so routes are denied by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from conflicto.platform.http.binding import bind, inputs_of
from conflicto.platform.http.path_types import PATH_TYPES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import BaseModel

    from conflicto.platform.http.binding import Handler, Inputs
    from conflicto.platform.http.messages import Header, Request, Response
    from conflicto.platform.http.path_types import PathType
    from conflicto.platform.limits.bucket import Policy
    from conflicto.platform.problems import DomainError
    from conflicto.platform.strict_json import JsonLimits

PREFIX = "/api/v1"

_PARAMETER = re.compile(r"{(\w+):?(\w*)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Docs:
    """Description of a route in the OpenAPI document.

    - `summary`: one line.
    - `responses`: models of response bodies by status.
    - `query`: model of a query that the handler parses itself, as polls do.
    - `problems`: problems that the route itself may return.
    - `files`: schema members and an example of each media type other than JSON.
    - `events`: an example of its event stream.
    - `headers`, `response_headers`: documented headers of requests and responses.
    - `min_key_chars`: shortest idempotency key.
    """

    summary: str
    responses: Mapping[int, type[BaseModel] | None] = field(default_factory=dict)
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    problems: tuple[type[DomainError], ...] = ()
    example: Any = None
    files: Mapping[str, tuple[Mapping[str, str], str | None]] = field(default_factory=dict)
    events: str = ""
    response_headers: tuple[str, ...] = ()
    min_key_chars: int = 1


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of the API.

    - `roles`: the roles that may use it; an empty set allows everyone, without a token.
    - `path`: the path template without the types of its parameters, and `path_parameters` these
      types by name.
    - `endpoint`: the function that answers; `binding.py` describes its parameters.
    - `cancels`: a disconnect of the client cancels the endpoint. Polls do without: it costs a task.
    - `policy`: the rate-limit policy of its requests.
    - `guesses`: further policies that a wrong code or secret spends from.
    - `replays`: whether a request repeats an answered one by its idempotency key. No limit refuses
      it.
    - `shows_presence`: a request counts as presence of its caller.
    - `takes_ticket`: `?ticket=` may replace the token, because browsers cannot send one.
    - `streams`: responses may be streams, whatever media type the request accepts.
    - `is_page`: a page for browsers, or one of its files.
    - `problem_headers`: returns further headers of a problem by the parameters of the path.
    """

    method: str
    path: str
    roles: frozenset[Any]
    policy: Policy
    docs: Docs
    endpoint: Callable[..., Awaitable[Response]]
    path_parameters: Mapping[str, PathType] = field(default_factory=dict)
    cancels: bool = False
    body: JsonLimits | None = None
    tag: str = ""
    takes_ticket: bool = False
    streams: bool = False
    is_page: bool = False
    guesses: tuple[Policy, ...] = ()
    replays: Callable[[Request], Awaitable[bool]] | None = None
    shows_presence: bool = True
    problem_headers: Callable[[Mapping[str, Any]], tuple[Header, ...]] | None = None

    @cached_property
    def name(self) -> str:
        """`METHOD /template`: the label in metrics and logs, and the scope of idempotency keys."""
        return f"{self.method} {self.path}"

    @cached_property
    def handler(self) -> Handler:
        """The function that the pipeline calls, created at the first request.

        Reading the signatures of all endpoints would take longer than the rest of a start.
        """
        return bind(self.endpoint, self.path_parameters, cancels=self.cancels)

    @cached_property
    def inputs(self) -> Inputs:
        """The inputs that the endpoint declares."""
        return inputs_of(self.endpoint)

    @cached_property
    def query_fields(self) -> frozenset[str]:
        """Names of the fields that the query may have."""
        model = self.query
        return frozenset(model.model_fields) if model else frozenset()

    @property
    def query(self) -> type[BaseModel] | None:
        """Model of the query: declared, or documented if the handler parses the query."""
        return self.inputs.query or self.docs.query


def route(
    method: str,
    template: str,
    endpoint: Callable[..., Awaitable[Response]],
    *,
    prefix: str = PREFIX,
    **declared: Any,  # noqa: ANN401 - Route's fields
) -> Route:
    """Return the route of a path template such as `/sessions/{session_id:int}`.

    `path_types.py` lists the types. `prefix` comes before the template.
    """
    return Route(
        method=method,
        path=prefix + _PARAMETER.sub(_without_type, template),
        path_parameters={name: PATH_TYPES[kind] for name, kind in _PARAMETER.findall(template)},
        endpoint=endpoint,
        **declared,
    )


def _without_type(parameter: re.Match[str]) -> str:
    """Return a parameter as metrics show it: only the type of several segments stays."""
    return parameter[0] if PATH_TYPES[parameter[2]].spans_segments else f"{{{parameter[1]}}}"
