"""Modules and style sheets of the pages, as `tools/build_pages.mjs` bundled them.

The wheel contains them. In a checkout, `make setup` builds them again after a change.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PACKAGE = HERE.parent
STATIC = HERE / "static"
BUNDLE = HERE / "bundle"
MANIFEST = "manifest.json"

SOURCES = ("web/static/**/*.css", "web/static/**/*.js", "web/static/**/*.d.ts", "activity_types/*/ui/*.js")
SERVED = {".css", ".js", ".map", ".ts"}
DECLARATIONS = ".d.ts"
"""Suffix of the declarations of `sdk`, by which editors know its types."""


class OutdatedBundle(RuntimeError):
    """The pages were not built from the present sources."""


class PageBundle(NamedTuple):
    """Texts by relative path, and the files that each page imports."""

    texts: dict[str, str]
    preloads: dict[str, list[str]]


@cache
def read_bundle(folder: Path = BUNDLE) -> PageBundle:
    """Return the bundled files.

    Raises:
        OutdatedBundle: the pages were not built, or their sources changed since then.
    """
    manifest = folder / MANIFEST
    built = json.loads(manifest.read_bytes()) if manifest.exists() else {}
    if built.get("sources") != source_digest():
        raise OutdatedBundle("the pages were not built from the present sources; run `make setup`")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in SERVED)
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return PageBundle(texts, built["preloads"])


def declarations() -> dict[str, str]:
    """Return the declarations of the modules that views import, by relative path."""
    return {name: text for name, text in read_bundle().texts.items() if name.endswith(DECLARATIONS)}


def source_digest() -> str:
    """Return the SHA-256 of all sources' paths and bytes, as `tools/build_pages.mjs` does."""
    digest = hashlib.sha256()
    paths = (path for pattern in SOURCES for path in PACKAGE.glob(pattern))
    for name, path in sorted((path.relative_to(PACKAGE).as_posix(), path) for path in paths):
        body = path.read_bytes()
        digest.update(b"%b\0%d\0" % (name.encode(), len(body)) + body)
    return digest.hexdigest()
