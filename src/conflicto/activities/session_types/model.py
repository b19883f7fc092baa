"""The model of a type for one session: what is known of a pack beside its files."""

from __future__ import annotations

from dataclasses import dataclass

from conflicto.platform.sizes import KIB, MIB

MAX_PACK_BYTES = 256 * KIB
"""Bytes of one pack."""

MAX_TYPES = 5
"""Types of one session."""

MARK = "x"
"""First character of the versions of types for one session. Other versions begin with a digit."""

DIGEST_CHARS = 16


@dataclass(frozen=True, slots=True)
class SessionType:
    """A type that a host installed for a session.

    `version` is derived from the content, and `own_version` is the author's. So activities of two
    sessions never share a version with other content.
    """

    session_id: int
    name: str
    version: str
    own_version: str
    sha256: str
    size_bytes: int
    installed_us: int


@dataclass(frozen=True, slots=True)
class PackSummary:
    """Claims of a pack about its type, which people read before they install it."""

    name: str
    own_version: str
    title: str
    icon: str
    authors: tuple[str, ...]
    license: str | None
    homepage: str | None
    views: tuple[str, ...]


def version_of(sha256: str) -> str:
    """Return the version under which activities name a pack's content.

    >>> version_of("00ff" * 16)
    'x00ff00ff00ff00ff'
    """
    return MARK + sha256[:DIGEST_CHARS]


def is_session_version(version: str | None) -> bool:
    """Return whether an activity's version is that of a type for one session."""
    return version is not None and version.startswith(MARK)


def max_bytes(megabytes: int) -> int:
    """Return the bytes of all packs that a setting in MiB allows."""
    return megabytes * MIB
