"""What FastAPI cannot know of a route by itself: who may call it, its problems, its bodies on the data plane, and examples."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from conflicto.platform.http.body import MediaTypeUnsupported
from conflicto.platform.http.front_door import WITH_BODY
from conflicto.platform.http.paging import OF_SERVER, SERVER_EXAMPLE
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.http.routes import PREFIX, TextInvalid
from conflicto.platform.limits.bucket import Per
from conflicto.platform.limits.errors import TooManyRequests
from conflicto.platform.problems import DomainError, InternalError, InvalidInput, Kind, NotFound, Overloaded, Unavailable
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
    from collections.abc import Callable

    from conflicto.platform.http.routes import Route

    Refusals = Callable[[frozenset[Any]], tuple[type[DomainError], ...]]
    """From the roles of a route to the ways in which a caller may be refused; the access room knows them."""

    Problems = dict[int, list[type[DomainError]]]
    """The problems of a route by status."""

NO_CONTENT = 204
FIRST_REDIRECT = 300

GATE = (
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
"""What the gate in front of every body may refuse, and what validation says after it."""

SUCCESS = {200: "As asked", 201: "Made", 204: "Done; there is no body", 304: "The caller has this body already"}

HEADERS = {
    "Idempotency-Key": "1 to 128 visible ASCII characters, such as a UUID. The same key with the same body happens once.",
    "If-Match": 'Tag of the revision that the change was made on, such as `"r7"`, or a list; 412 if the present one is another.',
    "If-None-Match": "Tag of the body that the caller has; 304 if it still holds.",
    "Last-Event-ID": "Id of the last event that the caller has; browsers send it by themselves.",
    "Link-Key": "The `link_key` of the session whose code is given, from its link to join: no limit on wrong codes refuses the request.",
    "Prefer": "`wait=25`: hold an answer without news back for so many seconds.",
}

LIMIT_HEADERS = {
    "RateLimit-Policy": 'The policy that the call spends from, such as `"poll";q=600;w=60`: 600 requests in 60 seconds.',
    "RateLimit": 'What is left, and the seconds until there is more, such as `"poll";r=0;t=1`.',
    "Retry-After": "Seconds until the same call may be made again.",
}
"""Of draft-ietf-httpapi-ratelimit-headers, and RFC 9110; successes carry the first, refusals by a limit all of them."""

SENT_HEADERS = {
    "Deletion-Receipt": "What was deleted: counts, day and a digest of the ids, signed (JWS); `/.well-known/jwks.json` has the keys.",
}
"""Headers of successes that routes declare in `Docs.sends`."""

START = {"Link": {"description": 'Where to begin again: `<…>; rel="start"` (RFC 8288).', "schema": {"type": "string"}}}

PATTERNS = {
    "Idempotency-Key": r'^("[!#-~]{1,128}"|[!#-~]{1,128})$',
    "If-Match": r'^(\*|(.*,\s*)?(W/)?"r[0-9]{1,9}"(\s*,.*)?)$',
}
"""What a header must look like, where anything else is refused."""

_PARAMETER = re.compile(r"{(\w+)}")


class FieldProblem(BaseModel):
    """One thing wrong with one place of the input."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or /query/…")
    message: str


class Problem(BaseModel):
    """An error, after RFC 9457. Branch on `code`; the texts are for people. Some codes bring members of their own."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    server: str = Field(description=OF_SERVER)
    errors: list[FieldProblem] | None = None


def problems_of(route: Route, refusals: Refusals) -> Problems:
    """Return the problems that a route may answer with, by status: its own, and those that come with what it declares."""
    found: list[type[DomainError]] = [*route.docs.problems, *refusals(route.who), TextInvalid, InternalError, Unavailable]
    if route.who or route.policy.per is Per.SERVER:
        found.append(TooManyRequests)
    if route.method in WITH_BODY:
        found += (Overloaded, *GATE)  # routes that take no body look at what comes instead of none
    if "{" in route.path:
        found.append(NotFound)
    if route.path.startswith(PREFIX):
        found.append(InvalidInput)
    by_status: Problems = {}
    for error in dict.fromkeys(found):
        by_status.setdefault(STATUS[error.kind], []).append(error)
    return dict(sorted(by_status.items()))


def responses_of(route: Route, problems: Problems) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for a route."""
    documented: dict[int | str, dict[str, Any]] = {}
    limited = bool(route.who) or route.policy.per is Per.SERVER
    for status, model in route.docs.gives.items():
        documented[status] = {"description": SUCCESS[status], **({"model": model} if model else {})}
        if limited:
            documented[status]["headers"] = _limit_headers("RateLimit-Policy")
        if route.docs.sends:
            sent = {name: {"description": SENT_HEADERS[name], "schema": {"type": "string"}} for name in route.docs.sends}
            documented[status].setdefault("headers", {}).update(sent)
        if route.docs.example is not None and status < FIRST_REDIRECT and status != NO_CONTENT:
            documented[status]["content"] = {route.docs.media_type: {"example": route.docs.example}}
            documented[status]["content"] |= {each: {} for each in route.docs.further_types}
    for status, errors in problems.items():
        documented[status] = {
            "description": "; ".join(f"`{error.code}`: {error.title}" for error in errors),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {error.code: {"value": _example(error)} for error in errors},
                }
            },
        }
        if status == STATUS[Kind.TOO_MANY]:
            documented[status]["headers"] = _limit_headers(*LIMIT_HEADERS)
        if any(error.has_start for error in errors):
            documented[status]["headers"] = START
    return documented


def extra_of(route: Route) -> dict[str, Any]:
    """Return what is merged into the operation: the roles, and for the data plane its parameters and body."""
    extra: dict[str, Any] = {"x-roles": sorted(route.who) or ["anyone"]}
    if route.who:
        extra["security"] = [{"token": []}]
    declared = inspect.signature(route.endpoint).parameters
    parameters = [_path_parameter(name) for name in _PARAMETER.findall(route.path) if name not in declared]
    parameters += [_header(name) for name in route.docs.headers]
    if route.handler is not None:
        if route.docs.query:
            parameters += _query_parameters(route.docs.query)
        if route.docs.takes:
            schema = route.docs.takes.model_json_schema(ref_template="#/components/schemas/{model}")
            extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if parameters:
        extra["parameters"] = parameters
    return extra


def finished(document: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's document without its own 422, which nobody ever gets, and with the one shape that all problems have."""
    for path in document["paths"].values():
        for operation in path.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), Problem=problem)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return document


def _limit_headers(*names: str) -> dict[str, Any]:
    return {name: {"description": LIMIT_HEADERS[name], "schema": {"type": "string"}} for name in names}


def _header(name: str) -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": PATTERNS[name]} if name in PATTERNS else {})
    return {"name": name, "in": "header", "required": False, "description": HEADERS[name], "schema": schema}


def _path_parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name in {"session_id", "participant_id"}:
        schema = {"type": "integer", "minimum": 1}
    elif name.endswith("_id"):
        schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties = model.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in properties.items()]


def _example(error: type[DomainError]) -> dict[str, Any]:
    return {
        "type": f"/problems/{error.code}", "title": error.title, "status": STATUS[error.kind], "detail": error.title,
        "instance": "/requests/64a1-7", "code": error.code, "request_id": "64a1-7",
        "server": SERVER_EXAMPLE,
    }  # fmt: skip
