"""Refusals: finished responses to bytes that are no request and to excess connections."""

from __future__ import annotations

from conflicto.platform.http.messages import NO_STORE, SAFE_HEADERS, encode
from conflicto.platform.http.problem_response import PROBLEM_HEADER, STATUS, problem_document
from conflicto.platform.problems import DomainError, InternalError, Kind


class NotHttp(DomainError):
    """The bytes are not HTTP/1.1, or are ambiguous."""

    code = "not-http"
    title = "This is not an HTTP request"
    kind = Kind.MALFORMED


class HeadTooLarge(DomainError):
    """A request has at most 100 header fields, and its head at most 32 KiB."""

    code = "head-too-large"
    title = "The request's header fields are too large"
    kind = Kind.HEAD_TOO_LARGE


class HostInvalid(DomainError):
    """A request names its host once (RFC 9112 §3.2).

    Send one `Host` field with a name and an optional port.
    """

    code = "host-invalid"
    title = "The request must have one Host field"
    kind = Kind.MALFORMED


class TooManyConnections(DomainError):
    """The server has reached its number of connections. Try again in a moment."""

    code = "too-many-connections"
    title = "Too many connections are open"
    kind = Kind.UNAVAILABLE


class Refusal:
    """A problem document as bytes. `rest` follows the status line and the date line."""

    __slots__ = ("code", "rest", "status")

    def __init__(self, error: DomainError, server: str) -> None:
        body = encode(problem_document(error, request_id="unread", server=server))
        headers = [PROBLEM_HEADER, NO_STORE, *SAFE_HEADERS, (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        if error.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % error.retry_after_s))
        self.code = error.code
        self.status = STATUS[error.kind]
        self.rest = b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body


class Refusals:
    """All refusals of the installation with the id `server`."""

    __slots__ = ("failed", "head_too_large", "host_invalid", "not_http", "too_many_connections")

    def __init__(self, server: str) -> None:
        self.not_http = Refusal(NotHttp(), server)
        self.head_too_large = Refusal(HeadTooLarge(), server)
        self.host_invalid = Refusal(HostInvalid(), server)
        self.too_many_connections = Refusal(TooManyConnections(retry_after_s=2), server)
        self.failed = Refusal(InternalError(), server)
