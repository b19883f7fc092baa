"""Headers of the API, described once and referenced by every operation that uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.limits.bucket import LimitScope

if TYPE_CHECKING:
    from conflicto.platform.http.routes import Route

_REQUEST: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        "1 to 128 visible ASCII characters, at least 16 for joining, such as a UUID. A request with the same key and body has one effect.",
        {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r'^("[!#-~]{1,128}"|[!#-~]{1,128})$'},
    ),
    "If-Match": (
        'ETag of the revision to change, such as `"r7"`, or a list; 412 if the current revision is another.',
        {"type": "string", "pattern": r'^(\*|(.*,\s*)?(W/)?"r[0-9]{1,9}((--?|;)(gzip|br|zstd|deflate))?"(\s*,.*)?)$'},
    ),
    "If-Range": (
        "`ETag` of a partly downloaded file. If the file has changed, the response is the whole file.",
        {"type": "string"},
    ),
    "If-None-Match": ("ETag of the caller's body; 304 if it is current.", {"type": "string"}),
    "Last-Event-ID": ("Id of the last received event. Browsers send it automatically.", {"type": "string"}),
    "Link-Key": (
        "The session's `link_key` from its join link. Requests with it are exempt from the limit on wrong codes.",
        {"type": "string"},
    ),
    "Prefer": (
        "`wait=25`: wait up to 25 seconds for changes. For an export, `respond-async, wait=2`: return a job after 2 seconds.",
        {"type": "string"},
    ),
    "Range": ("`bytes=N-`, or any other single range of bytes of the file.", {"type": "string"}),
}

_RESPONSE: dict[str, str] = {
    "Accept-Ranges": "`bytes`: an interrupted download can continue.",
    "Cache-Control": "Whether and for how long the response may be cached.",
    "Content-Disposition": "Name of the file.",
    "Content-Range": "The bytes in a 206 response, and the size of the file.",
    "Deletion-Receipt": "Signed counts, day and digest of the deleted ids (JWS). `/.well-known/jwks.json` has the keys.",
    "ETag": 'ETag of the body, for `If-None-Match`. For a host\'s session or activity, the revision, such as `"r7"`, for `If-Match`.',
    "Feed-Cursor": "The page's `cursor`.",
    "Link": 'Where to continue (`rel="next"`) or to begin again (`rel="start"`), RFC 8288.',
    "Location": "URL of the created object, or of the job.",
    "Poll-After": "Milliseconds to wait before the next request.",
    "Preference-Applied": "The applied preference: `wait=…` or `respond-async`.",
    "RateLimit": 'Remaining requests, and seconds until more are allowed, such as `"poll";r=0;t=1`.',
    "RateLimit-Policy": 'Rate-limit policy of the request, such as `"poll";q=600;w=60`: 600 requests in 60 seconds.',
    "Renewed-Token": "A renewed token after half of a token's life. Store it and use it instead.",
    "Retry-After": "Seconds to wait before the same request.",
    "Vary": "Request headers that the response depends on.",
    "WWW-Authenticate": "The scheme of the token.",
    "X-Request-Id": "Id of the request in the server's log.",
}
"""Response headers. draft-ietf-httpapi-ratelimit-headers defines `RateLimit` and
`RateLimit-Policy`."""

_INTEGERS = {"Poll-After", "Retry-After"}

_ACCEPTED = ("Location", "Retry-After", "Preference-Applied")

_POLLED = ("ETag", "Cache-Control", "Vary", "Poll-After", "Preference-Applied")


def components() -> dict[str, Any]:
    """Return `components.headers` and `components.parameters`."""
    headers = {
        name: {"description": text, "schema": {"type": "integer", "minimum": 0} if name in _INTEGERS else {"type": "string"}}
        for name, text in _RESPONSE.items()
    }
    parameters = {
        name: {"name": name, "in": "header", "required": False, "description": text, "schema": schema}
        for name, (text, schema) in _REQUEST.items()
    }
    return {"headers": headers, "parameters": parameters}


def request_header(name: str, *, min_key_chars: int) -> dict[str, Any]:
    """Return a header parameter.

    Routes with longer idempotency keys get a parameter of their own.
    """
    if name != "Idempotency-Key" or min_key_chars == 1:
        return {"$ref": f"#/components/parameters/{name}"}
    text, schema = _REQUEST[name]
    longer = {**schema, "minLength": min_key_chars, "pattern": schema["pattern"].replace("{1,", f"{{{min_key_chars},")}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": longer}


def headers_of_success(route: Route, status: int, model: Any, *, is_feed: bool) -> dict[str, Any]:  # noqa: ANN401 - a model or None
    """Return the headers of a route's response with this status and body."""
    names = ["Cache-Control"]
    if route.roles or route.policy.scope is LimitScope.SERVER:
        names.append("RateLimit-Policy")
    if route.roles:
        names.append("Renewed-Token")
    is_polled = {"Prefer", "If-None-Match"} <= set(route.docs.headers)
    names += _POLLED if is_polled else ("X-Request-Id",)
    if "If-None-Match" in route.docs.headers and status != NO_CONTENT:
        names += ("ETag", "Vary")
    if is_feed and is_polled:
        names += ("Feed-Cursor", "Link")
    if route.docs.events:
        names += ("Vary", "X-Request-Id")
    names += _ACCEPTED if status == ACCEPTED else route.docs.response_headers
    if getattr(model, "has_next_link", False):
        names.append("Link")
    if getattr(model, "has_revision_tag", False):
        names += ("ETag", "Location") if status == CREATED else ("ETag",)
    return _refs(names)


def headers_of_problem(status: int, *, has_start: bool) -> dict[str, Any]:
    """Return the headers of a problem document with this status."""
    names = ["Cache-Control", "X-Request-Id", *_OF_STATUS.get(status, ())]
    return _refs([*names, "Link"] if has_start else names)


CREATED, ACCEPTED, NO_CONTENT = 201, 202, 204
_OF_STATUS = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}


def _refs(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys(names)}
