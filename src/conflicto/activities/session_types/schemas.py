"""Request and response bodies of types for one session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, StrictStr

from conflicto.platform.http.formats import Timestamp
from conflicto.platform.http.paging import StrictModel, example
from conflicto.platform.http.text_patterns import text_pattern
from conflicto.platform.instants import rfc3339

if TYPE_CHECKING:
    from conflicto.activities.session_types.model import PackSummary, SessionType

SHA256 = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff"
INSTALLED_EXAMPLE: dict[str, Any] = {
    "type": "mood", "type_version": "x00ff00ff00ff00ff", "version": "1", "sha256": SHA256, "size_bytes": 4_120,
    "installed_at": "2026-11-23T09:05:12.250417Z",
}  # fmt: skip
CHECKED_EXAMPLE: dict[str, Any] = {
    "type": "mood", "type_version": "x00ff00ff00ff00ff", "version": "1", "sha256": SHA256, "size_bytes": 4_120, "title": "Mood",
    "icon": "🙂", "authors": ["Anna Example"], "license": "Apache-2.0", "homepage": "https://example.org/mood", "views": ["screen"],
    "is_installed": False,
}  # fmt: skip


class PackIn(StrictModel):
    """A pack of `conflicto types pack`. Without `sha256` it is checked only."""

    model_config = example(pack="UEsDBBQAAAAAAAAAIQA")

    pack: StrictStr = Field(description="The file in Base64, up to 256 KiB before that.")
    sha256: Annotated[StrictStr, text_pattern(r"^[0-9a-f]{64}$", "must be 64 characters of 0-9 and a-f")] | None = Field(
        None, description="The digest that the first answer had. It confirms the installation."
    )


class CheckedPackOut(BaseModel):
    """A pack without faults, and what its type says of itself. Nothing of that is verified.

    Activities name the type with `type` and `type_version`, and `version` is the author's.
    """

    model_config = example(**CHECKED_EXAMPLE)

    type: str
    type_version: str
    version: str
    sha256: str
    size_bytes: int
    title: str
    icon: str
    authors: list[str]
    license: str | None
    homepage: str | None
    views: list[str] = Field(description="Views that run in sandboxed frames on phones, screens or hosts' pages.")
    is_installed: bool


class SessionTypeOut(BaseModel):
    """A type that was installed for one session."""

    model_config = example(**INSTALLED_EXAMPLE)

    type: str
    type_version: str
    version: str
    sha256: str
    size_bytes: int
    installed_at: Timestamp


class SessionTypesOut(BaseModel):
    """The types of one session by name."""

    model_config = example(items=[INSTALLED_EXAMPLE])

    items: list[SessionTypeOut]


def session_type_out(installed: SessionType) -> dict[str, Any]:
    """Return an installed type."""
    return {
        "type": installed.name, "type_version": installed.version, "version": installed.own_version, "sha256": installed.sha256,
        "size_bytes": installed.size_bytes, "installed_at": rfc3339(installed.installed_us),
    }  # fmt: skip


def checked_pack_out(summary: PackSummary, pack: dict[str, Any], *, is_installed: bool) -> dict[str, Any]:
    """Return a checked pack; `pack` holds its digest, version and size."""
    return {
        "type": summary.name, "version": summary.own_version, "title": summary.title, "icon": summary.icon,
        "authors": summary.authors, "license": summary.license, "homepage": summary.homepage, "views": summary.views,
        "is_installed": is_installed,
    } | pack  # fmt: skip
