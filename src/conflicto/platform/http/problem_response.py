"""Problem documents (RFC 9457) of domain errors, and the only table of their statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.http.messages import NO_STORE, Response, encode
from conflicto.platform.http.text_patterns import pattern_message
from conflicto.platform.limits.errors import RateLimited
from conflicto.platform.problems import DomainError, FieldError, InternalError, InvalidInput, Kind
from conflicto.platform.strict_json import pointer_escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import BaseModel

    from conflicto.platform.http.messages import Header

STATUS: dict[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.MISSING: 404,
    Kind.NOT_ALLOWED: 405,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.INVALID: 422,
    Kind.TOO_MANY: 429,
    Kind.HEAD_TOO_LARGE: 431,
    Kind.UNAVAILABLE: 503,
    Kind.INTERNAL: 500,
}

UNKNOWN_FIELD = "holds a field that is not known here"

PROBLEM_HEADER: Header = (b"content-type", b"application/problem+json")


def problem_document(error: DomainError, *, request_id: str, server: str) -> dict[str, Any]:
    """Return the problem document of an error.

    Its members are `type`, `title`, `status`, `detail`, `instance`, `code`, `request_id`, `server`,
    then `errors` and the error's own fields. `server` is the installation's id. A proxy does not
    know it, so only documents with it come from the server. `instance` contains the request's id
    instead of its path, because input is never echoed.
    """
    document: dict[str, Any] = {
        "type": "/problems/" + error.code,
        "title": error.title,
        "status": STATUS[error.kind],
        "detail": error.detail or error.title,
        "instance": "/requests/" + request_id,
        "code": error.code,
        "request_id": request_id,
        "server": server,
    }
    if error.errors:
        document["errors"] = [{"pointer": each.pointer, "message": each.message} for each in error.errors]
    return document | error.extensions


def problem_code(error: Exception) -> str:
    """Return the problem code of any exception."""
    return error.code if isinstance(error, DomainError) else InternalError.code


def problem_response(error: Exception, *, request_id: str, server: str) -> Response:
    """Return the response to any exception.

    Other exceptions than domain errors reveal no details.
    """
    known = error if isinstance(error, DomainError) else InternalError()
    headers: list[Header] = [PROBLEM_HEADER, NO_STORE]
    if known.retry_after_s is not None:
        headers.append((b"retry-after", str(known.retry_after_s).encode()))
    if known.start is not None:
        headers.append((b"link", b'<%s>; rel="start"' % known.start.encode()))
    if isinstance(known, RateLimited):
        headers += known.headers
    if known.kind is Kind.UNAUTHENTICATED:
        headers.append((b"www-authenticate", b'Bearer realm="conflicto"'))
    if known.kind is Kind.NOT_ALLOWED:
        allowed = known.extensions.get("allowed", [])
        headers.append((b"allow", ", ".join(map(str, allowed)).encode() if isinstance(allowed, list) else b""))
    return Response(STATUS[known.kind], encode(problem_document(known, request_id=request_id, server=server)), tuple(headers))


def invalid_input(errors: Sequence[Mapping[str, Any]], model: type[BaseModel] | None = None) -> InvalidInput:
    """Convert Pydantic's errors to pointers and messages, without the input.

    The pointer of an unknown field is that of its object, because the name of the field is input
    too. The message lists the fields that the object of a `model` may hold.
    """
    return InvalidInput(errors=tuple(_field_error(error, model) for error in errors[:20]))


def unknown_field(known: Iterable[str]) -> str:
    """Return the message for an object with an unknown field.

    >>> unknown_field(["title", "status"])
    'holds a field that is not known here; known are `title`, `status`'
    """
    names = ", ".join(f"`{name}`" for name in known)
    return f"{UNKNOWN_FIELD}; known are {names}" if names else UNKNOWN_FIELD


def _field_error(error: Mapping[str, Any], model: type[BaseModel] | None) -> FieldError:
    location = tuple(error["loc"])
    parts = location[1:] if location and location[0] == "body" else location
    if error["type"] == "extra_forbidden":
        return FieldError(_pointer(parts[:-1]), unknown_field(_known_names(model, parts[:-1])))
    if error["type"] == "string_pattern_mismatch":
        return FieldError(_pointer(parts), pattern_message(error["ctx"]["pattern"]))
    return FieldError(_pointer(parts), str(error["msg"]))


def _known_names(model: type[BaseModel] | None, parts: tuple[Any, ...]) -> list[str]:
    """Return the names of the fields at a place in a model, none if it has no model there."""
    fields: Mapping[Any, Any] = getattr(model, "model_fields", {})
    for step in parts:
        fields = getattr(getattr(fields.get(step), "annotation", None), "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def _pointer(parts: tuple[Any, ...]) -> str:
    return "".join("/" + pointer_escape(str(part)) for part in parts)
