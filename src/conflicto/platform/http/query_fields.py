"""Query fields that a route accepts. Others are refused, so that a mistyped name is noticed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, get_type_hints

from fastapi import params

from conflicto.platform.http.problem_response import UNKNOWN_FIELD
from conflicto.platform.http.routes import PREFIX
from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from pydantic import BaseModel

    from conflicto.platform.http.messages import Request
    from conflicto.platform.http.routes import Route


def require_known_fields(request: Request) -> None:
    """Refuse query fields that the route does not declare. Call it only if there is a query.

    Routes outside the API accept all fields, because operators' monitors add their own.

    Raises:
        InvalidInput: a field is unknown, or the query is invalid. The name is not echoed, because
            it is
            input.
    """
    if not request.route.path.startswith(PREFIX):
        return
    model = query_model(request.route)
    known = model.model_fields.keys() if model else frozenset[str]()
    if not request.query_names() <= known:
        raise InvalidInput(errors=(FieldError("/query", UNKNOWN_FIELD),))


def query_model(route: Route) -> type[BaseModel] | None:
    """Return the model of a route's query fields, or None.

    Data-plane routes declare it. Control-plane endpoints have it as a parameter.
    """
    if route.handler is not None:
        return route.docs.query
    return _query_parameter(getattr(route.endpoint, "__func__", route.endpoint))


@functools.cache
def _query_parameter(endpoint: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a function of any signature
    for hint in get_type_hints(endpoint, include_extras=True).values():
        if any(isinstance(each, params.Query) for each in getattr(hint, "__metadata__", ())):
            model: type[BaseModel] = hint.__origin__
            return model
    return None
