"""Schemas of links in requests and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictStr, StringConstraints
from typing_extensions import TypeAliasType

from conflicto.access.links import MAX_LINK_NAME_LENGTH, Scope
from conflicto.platform.http.formats import Timestamp, Uuid
from conflicto.platform.http.paging import PageOut, StrictModel, example, page_example
from conflicto.platform.instants import parse_rfc3339, rfc3339

if TYPE_CHECKING:
    from conflicto.access.links import Link
    from conflicto.access.roles import Caller


def _instant(text: str) -> str:
    parse_rfc3339(text)
    return text


Instant = Annotated[
    StrictStr, StringConstraints(max_length=40), AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})
]
LinkName = Annotated[StrictStr, StringConstraints(max_length=MAX_LINK_NAME_LENGTH)]

LINK_EXAMPLE: dict[str, Any] = {
    "id": "5b0c1d9e-2f6a-4c1b-9d3e-7a8b9c0d1e2f", "scope": "host", "name": "Second host",
    "creator": "host-8f14e45f-ceea-467f-a0d2-3c5b1e9a7d60",
    "created_at": "2026-11-23T09:00:00.000001Z",
    "expires_at": "2027-05-22T09:00:00.000001Z", "revoked_at": None, "is_own": False,
}  # fmt: skip


TokenRole = TypeAliasType("TokenRole", Literal["host", "screen"])


class TokenIn(StrictModel):
    """Role of the further token."""

    model_config = example(role="screen")

    role: TokenRole


class LinkIn(StrictModel):
    """A new link."""

    model_config = example(scope="host", name="Second host")

    scope: Scope
    name: LinkName = ""
    expires_at: Instant | None = Field(
        None, description="RFC 3339. Null or later than the server allows: the latest that it allows."
    )


class LinkPatch(StrictModel):
    """The link's new name."""

    model_config = example(name="Stage left")

    name: LinkName


class LinkOut(BaseModel):
    """A link without its token.

    `creator` is the subject of the token that created it. `is_own` marks the link of the caller.
    """

    model_config = example(**LINK_EXAMPLE)

    id: Uuid
    scope: Scope
    name: str
    creator: str
    created_at: Timestamp
    expires_at: Timestamp
    revoked_at: Timestamp | None = None
    is_own: bool


class LinkCreated(LinkOut):
    """A new link with its token, which is shown here only."""

    model_config = example(**LINK_EXAMPLE, token="eyJhbGciOi…")  # noqa: S106 - an example

    token: str


class TokenOut(BaseModel):
    """A token, shown here only, and the link that it belongs to."""

    model_config = example(role="screen", token="eyJhbGciOi…", link_id="5b0c1d9e-2f6a-4c1b-9d3e-7a8b9c0d1e2f")  # noqa: S106 - an example

    role: TokenRole
    token: str
    link_id: Uuid


class LinkPage(PageOut):
    """A list of links, in the order of their newest changes."""

    model_config = page_example(LINK_EXAMPLE)

    items: list[LinkOut]


def link_out(link: Link, caller: Caller) -> dict[str, Any]:
    """Return a link as a host sees it."""
    return {
        "id": link.id,
        "scope": link.scope,
        "name": link.name,
        "creator": link.creator,
        "created_at": rfc3339(link.created_us),
        "expires_at": rfc3339(link.expires_us),
        "revoked_at": None if link.revoked_us is None else rfc3339(link.revoked_us),
        "is_own": link.id == caller.link,
    }
