"""Problem documents in the OpenAPI document: the codes of each route, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from conflicto.platform.http.openapi.headers import headers_of_problem
from conflicto.platform.http.paging import OF_SERVER, SERVER_EXAMPLE
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.http.request_body import MediaTypeUnsupported
from conflicto.platform.http.request_pipeline import METHODS_WITH_BODY
from conflicto.platform.http.route_table import TextInvalid
from conflicto.platform.http.routes import PREFIX
from conflicto.platform.limits.bucket import LimitScope
from conflicto.platform.limits.errors import TooManyRequests
from conflicto.platform.problems import DomainError, InternalError, InvalidInput, NotFound, Overloaded, Unavailable
from conflicto.platform.strict_json import (
    BodyTooLarge,
    JsonDuplicateKey,
    JsonInvalid,
    JsonNumber,
    JsonText,
    JsonTooDeep,
    JsonTooLarge,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.http.request_pipeline import Authenticator
    from conflicto.platform.http.routes import Route

    Problems = dict[int, list[type[DomainError]]]
    """The problems of a route by status."""

BODY_PROBLEMS = (
    JsonInvalid,
    JsonNumber,
    JsonDuplicateKey,
    JsonText,
    JsonTooDeep,
    JsonTooLarge,
    BodyTooLarge,
    MediaTypeUnsupported,
    InvalidInput,
)
"""Problems of reading and validating a body."""


class FieldProblem(BaseModel):
    """An error of one input field."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or /query/…")
    message: str


class Problem(BaseModel):
    """An error, after RFC 9457.

    Branch on `code`; the texts are for people. Members after `errors` belong to the codes that they
    name.

    A client must expect codes and members that this document does not name: an unknown code follows
    the class of its status.
    """

    type: str = Field(description="`/problems/` and the code.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str
    code: str
    request_id: str
    server: str = Field(description=OF_SERVER)
    errors: list[FieldProblem] = Field([], description="Faults of the input, by place.")
    retry_after_s: int = Field(0, description="`too-many-requests`: seconds to wait, as in `Retry-After`.")
    suggestions: list[str] = Field([], description="`nickname-taken`, `nickname-refused`: names that are free.")
    reason: str = Field(
        "", description="`nickname-invalid`: `empty`, `too-long`, `unseen`, `marks` or `reserved`. `not-ready`: `damaged`."
    )
    max: int = Field(0, description="`nickname-invalid` with the reason `too-long`: characters that a name may have.")
    revision: int = Field(0, description="`revision-stale`: the present revision.")
    fields: list[str] = Field([], description="`answers-exist`: fields that are frozen.")
    allowed: list[str] = Field([], description="Methods (`method-not-allowed`) or next states (`…-not-allowed`) that are possible.")
    from_: str = Field("", alias="from", description="`move-not-allowed`, `transition-not-allowed`: the present state.")
    to: str = Field("", description="`move-not-allowed`, `transition-not-allowed`: the requested state.")
    dependency: str = Field("", description="`not-ready`: `database`, `schema`, `writer` or `readers`.")
    faults: list[str] = Field([], description="`pack-rejected`: the faults of the pack, each with file, line and remedy.")
    sha256: str = Field("", description="`pack-not-confirmed`: the digest of the pack that was sent.")
    activities: int = Field(0, description="`session-type-in-use`: the activities that have the type.")


def problem_schemas() -> dict[str, Any]:
    """Return the schemas of problem documents, without defaults, because members may be absent."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for member in problem["properties"].values():
        member.pop("default", None)
    return {**problem.pop("$defs"), "Problem": problem}


def problems_of(route: Route, authenticator: Authenticator) -> Problems:
    """Return the problems of a route by status: its own, and those of its declaration."""
    refusals = authenticator.refusals(route.roles)
    found: list[type[DomainError]] = [*route.docs.problems, *refusals, TextInvalid, InternalError, Unavailable]
    if route.roles or route.policy.scope is LimitScope.SERVER:
        found.append(TooManyRequests)
    if route.method in METHODS_WITH_BODY:
        found += (Overloaded, *BODY_PROBLEMS)  # routes without a body check it too
    if "{" in route.path:
        found.append(NotFound)
    if route.path.startswith(PREFIX):
        found.append(InvalidInput)
    by_status: Problems = {}
    for error in dict.fromkeys(found):
        by_status.setdefault(STATUS[error.kind], []).append(error)
    return dict(sorted(by_status.items()))


def problem_responses(problems: Problems) -> dict[int | str, dict[str, Any]]:
    """Return the problem responses of a route."""
    return {
        status: {
            "description": "; ".join(f"`{error.code}`: {error.title}" for error in errors),
            "headers": headers_of_problem(status, has_start=any(error.has_start for error in errors)),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {error.code: {"$ref": f"#/components/examples/{error.code}"} for error in errors},
                }
            },
        }
        for status, errors in problems.items()
    }


def problem_examples(every: Iterable[Problems]) -> dict[str, Any]:
    """Return one example for each problem code of any route."""
    errors = {error.code: error for problems in every for some in problems.values() for error in some}
    return {code: {"summary": error.title, "value": _example(error)} for code, error in sorted(errors.items())}


def _example(error: type[DomainError]) -> dict[str, Any]:
    return {
        "type": f"/problems/{error.code}", "title": error.title, "status": STATUS[error.kind], "detail": error.title,
        "instance": "/requests/64a1-7", "code": error.code, "request_id": "64a1-7",
        "server": SERVER_EXAMPLE,
    }  # fmt: skip
