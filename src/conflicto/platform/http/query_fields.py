"""Which query fields a route knows. Others are refused, because a mistyped name that does nothing is found too late."""

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
    """Refuse a query field that the call's route does not declare; ask only where there is a query at all.

    Routes outside of the API are for operators, whose monitors add what they like.

    Raises:
        InvalidInput: there is one; which one is not said, because its name is input. Or the query cannot be read.
    """
    if not request.route.path.startswith(PREFIX):
        return
    model = query_model(request.route)
    known = model.model_fields.keys() if model else frozenset[str]()
    if not request.query_names() <= known:
        raise InvalidInput(errors=(FieldError("/query", UNKNOWN_FIELD),))


def query_model(route: Route) -> type[BaseModel] | None:
    """Return the model of a route's query fields: the data plane declares it, the control plane's endpoint takes it."""
    if route.handler is not None:
        return route.docs.query
    return _taken_by(getattr(route.endpoint, "__func__", route.endpoint))


@functools.cache
def _taken_by(endpoint: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a function of any signature
    for hint in get_type_hints(endpoint, include_extras=True).values():
        if any(isinstance(said, params.Query) for said in getattr(hint, "__metadata__", ())):
            model: type[BaseModel] = hint.__origin__
            return model
    return None
