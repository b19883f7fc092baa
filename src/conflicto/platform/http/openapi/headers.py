"""Headers of the contract: described once, referred to by every operation that takes or sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.limits.bucket import LimitScope

if TYPE_CHECKING:
    from conflicto.platform.http.routes import Route

_REQUEST: dict[str, tuple[str, dict[str, Any]]] = {
    "Idempotency-Key": (
        "1 to 128 visible ASCII characters, at least 16 for joining, such as a UUID. The same key with the same body happens once.",
        {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r'^("[!#-~]{1,128}"|[!#-~]{1,128})$'},
    ),
    "If-Match": (
        'Tag of the revision that the change was made on, such as `"r7"`, or a list; 412 if the present one is another.',
        {"type": "string", "pattern": r'^(\*|(.*,\s*)?(W/)?"r[0-9]{1,9}((--?|;)(gzip|br|zstd|deflate))?"(\s*,.*)?)$'},
    ),
    "If-Range": ("`ETag` of the file that the caller has a part of; another file comes whole.", {"type": "string"}),
    "If-None-Match": ("Tag of the body that the caller has; 304 if it still holds.", {"type": "string"}),
    "Last-Event-ID": ("Id of the last event that the caller has; browsers send it by themselves.", {"type": "string"}),
    "Link-Key": (
        "The `link_key` of the session whose code is given, from its link to join: no limit on wrong codes refuses the request.",
        {"type": "string"},
    ),
    "Prefer": (
        "`wait=25`: hold an answer without news back for so many seconds. Of an export `respond-async, wait=2`: a job after so many.",
        {"type": "string"},
    ),
    "Range": ("`bytes=N-`: the file from byte N on; any other single range of bytes as well.", {"type": "string"}),
}

_RESPONSE: dict[str, str] = {
    "Accept-Ranges": "`bytes`: a download that broke off can go on.",
    "Cache-Control": "Whether and for how long the response may be kept.",
    "Content-Disposition": "Name of the file.",
    "Content-Range": "Which bytes of the file the response holds, of how many; of a 206.",
    "Deletion-Receipt": "What was deleted: counts, day and a digest of the ids, signed (JWS); `/.well-known/jwks.json` has the keys.",
    "ETag": 'Tag of the body, for `If-None-Match`; of a host\'s session or activity the revision, such as `"r7"`, for `If-Match`.',
    "Feed-Cursor": "The page's `cursor`.",
    "Link": 'Where to continue (`rel="next"`) or to begin again (`rel="start"`), RFC 8288.',
    "Location": "Address of what was made, or of the job.",
    "Poll-After": "Milliseconds until the next request is worth while.",
    "Preference-Applied": "`wait=…` or `respond-async`: what was granted of `Prefer`.",
    "RateLimit": 'What is left, and the seconds until there is more, such as `"poll";r=0;t=1`.',
    "RateLimit-Policy": 'The policy that the call spends from, such as `"poll";q=600;w=60`: 600 requests in 60 seconds.',
    "Renewed-Token": "A fresh token in place of one past half of its life: store it and use it from then on.",
    "Retry-After": "Seconds until the same call may be made again.",
    "Vary": "Request headers that the response depends on.",
    "WWW-Authenticate": "The scheme of the token.",
    "X-Request-Id": "Id of the request, which finds it in the server's log.",
}
"""`RateLimit` and `RateLimit-Policy` are of draft-ietf-httpapi-ratelimit-headers."""

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


def request_header(name: str, *, shortest_key: int) -> dict[str, Any]:
    """Return a parameter of an operation; a route that demands longer idempotency keys says so in its own."""
    if name != "Idempotency-Key" or shortest_key == 1:
        return {"$ref": f"#/components/parameters/{name}"}
    text, schema = _REQUEST[name]
    longer = {**schema, "minLength": shortest_key, "pattern": schema["pattern"].replace("{1,", f"{{{shortest_key},")}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": longer}


def headers_of_success(route: Route, status: int, model: Any, *, is_feed: bool) -> dict[str, Any]:  # noqa: ANN401 - a model or None
    """Return the headers of a route's response with this status and body."""
    names = ["Cache-Control"]
    if route.who or route.policy.scope is LimitScope.SERVER:
        names.append("RateLimit-Policy")
    if route.who:
        names.append("Renewed-Token")
    is_polled = {"Prefer", "If-None-Match"} <= set(route.docs.headers)
    names += _POLLED if is_polled else ("X-Request-Id",)
    if "If-None-Match" in route.docs.headers and status != NO_CONTENT:
        names += ("ETag", "Vary")
    if is_feed and is_polled:
        names += ("Feed-Cursor", "Link")
    if route.docs.events:
        names += ("Vary", "X-Request-Id")
    names += _ACCEPTED if status == ACCEPTED else route.docs.sends
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
