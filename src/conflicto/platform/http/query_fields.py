"""Query fields that a route accepts. Others are refused, so that a mistyped name is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.http.problem_response import unknown_field
from conflicto.platform.http.routes import PREFIX
from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request


def require_known_fields(request: Request) -> None:
    """Refuse query fields that the route does not declare. Call it only if there is a query.

    Routes outside the API accept all fields, because operators' monitors add their own.

    Raises:
        InvalidInput: a field is unknown, or the query is invalid. The name is not echoed, because
            it is input.
    """
    route = request.route
    if route.path.startswith(PREFIX) and not request.query_names() <= route.query_fields:
        raise InvalidInput(errors=(FieldError("/query", unknown_field(sorted(route.query_fields))),))
