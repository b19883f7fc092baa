"""HTML shells of pages, which show content before scripts run.

A shell depends on the page and the appearance alone, so it is rendered once.
"""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import TYPE_CHECKING

from conflicto.participants.nickname import MAX_CHARS
from conflicto.platform.http.path_prefix import prefix_of
from conflicto.sessions.schemas import MAX_TITLE_CHARS
from conflicto.web.appearance import Appearance, appearance_form
from conflicto.web.assets import Asset, AssetBundle, make_asset
from conflicto.web.languages import NAMES, catalogs, text_direction
from conflicto.web.page_bundle import HERE
from conflicto.web.page_data import host_type_data, type_data
from conflicto.web.prefix import add_prefix
from conflicto.web.type_versions import keyed_types, versions_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

TEMPLATES = HERE / "templates"
PHONE = "participant"
TEXTS = "words"
PAGES = ("participant", "home", "control", "report", "screen")

STYLES = {"participant": ("base",), "screen": ("base", "screen"), "control": ("base", "screen", "host")}
"""Style sheets of a page. Other pages of hosts use `base` and `host`."""

HOST_PROBLEMS = (
    "already-revealed", "answers-exist", "author-hidden", "export-busy", "export-failed", "export-not-ready", "export-unknown",
    "moderation-off", "move-not-allowed", "names-hidden", "not-timed", "operator-only", "owner-only", "pattern-too-large",
    "pack-", "rehearsal-there", "revision-stale", "scan", "session-type", "too-many-activities", "too-many-links", "too-many-rehearsals",
    "transition-not-allowed",
)  # fmt: skip
"""Prefixes of problem codes that only hosts receive."""

EXCLUDED_TEXTS = {
    "participant": (
        "host.",
        "key.",
        "step.",
        "screen.",
        "appearance.",
        "form.",
        "links.",
        "noscript",
        *(f"problem.{code}" for code in HOST_PROBLEMS),
    ),
    "screen": ("host.",),
}
"""Prefixes of texts that a page does not need. A screen in a host's browser has controls."""

DEFERRED_TEXTS = (
    "problem.",
    "move.",
    "moved.",
    "notice.",
    "results.",
    "leaderboard.",
    "menu.",
    "json.",
    "view.",
    "state.no_storage",
    "answer.blocked",
    "handover.",
)
"""Prefixes of texts that phones load after the first view, or on first use."""

INITIAL_TEXTS = ("problem.offline", "problem.unknown", "problem.foreign", "problem.nickname-invalid.too-long", "menu.title")
"""Texts among them that phones need earlier, or without a connection."""

FIELD_LIMITS = {"nickname": MAX_CHARS, "title": MAX_TITLE_CHARS}
"""Maximum lengths of fields, in characters, as the server checks them."""

LOCALE_EXTENSIONS = {"ar": "-u-nu-latn"}
"""Extensions of language tags for `Intl`: engines differ in the digits of Arabic."""


class PageRenderer:
    """Renders pages, and caches them by name and appearance."""

    def __init__(
        self,
        assets: AssetBundle,
        public_url: str,
        types: Iterable[ActivityType] = (),
        image_origins: Iterable[str] = (),
        *,
        retention_days: int = 0,
        server: str = "",
        installs_types: bool = False,
    ) -> None:
        self._assets = assets
        self._image_origins = list(image_origins)
        self._retention_days = retention_days
        self._public_url = public_url
        self._prefix = prefix_of(public_url)
        self._server = server
        self._installs_types = installs_types
        self.catalogs = catalogs()
        self._types = keyed_types(types)
        self._cache: dict[tuple[str, Appearance], Asset] = {}

    def render(self, page: str, appearance: Appearance) -> Asset:
        """Return a page, rendered on first use within a few milliseconds."""
        asset = self._cache.get((page, appearance))
        if asset is None:
            asset = self._cache[page, appearance] = self._render(page, appearance)
        return asset

    def _render(self, page: str, appearance: Appearance) -> Asset:
        locale, texts = appearance.locale, self.catalogs[appearance.locale]
        escaped = {_placeholder(key): escape(text) for key, text in texts.items()}
        inner = Template(add_prefix(_template(page), self._prefix)).substitute(
            escaped, appearance=appearance_form(texts, appearance)
        )
        base = f"{self._prefix}/s/{self._assets.build}"
        html = Template(_template("shell")).substitute(
            lang=locale, dir=text_direction(locale), theme=appearance.theme, size=appearance.size, page=page, base=base,
            title=escape(texts["app"]), noscript=escape(texts["noscript"]), links=self._links(base, page),
            boot=self._boot(page, locale), main=inner,
        )  # fmt: skip
        return make_asset("text/html; charset=utf-8", html.encode())

    def _links(self, base: str, page: str) -> str:
        """Return the links of style sheets, and of modules that the page's script imports."""
        styles = [f'<link rel="stylesheet" href="{base}/css/{name}.css">' for name in STYLES.get(page, ("base", "host"))]
        return "\n".join(styles + [f'<link rel="modulepreload" href="{base}/{name}">' for name in self._assets.preloads[page]])

    def _boot(self, page: str, locale: str) -> str:
        """Return the initial data of a page's script, as JSON without `<`."""
        data_of = type_data if page in EXCLUDED_TEXTS else host_type_data
        texts = {key: text for key, text in self.catalogs[locale].items() if not key.startswith(EXCLUDED_TEXTS.get(page, ()))}
        if page == PHONE:
            texts = {key: text for key, text in texts.items() if not _is_deferred(key)}
        boot: dict[str, object] = {
            "locale": locale + LOCALE_EXTENSIONS.get(locale, ""), "limits": FIELD_LIMITS, "base": f"{self._prefix}/s/{self._assets.build}",
            "public_url": self._public_url, "server": self._server, "image_origins": self._image_origins,
            "texts": texts, "retention_days": self._retention_days,
            **versions_data(self._types, data_of, locale),
        }  # fmt: skip
        if page == PHONE:
            boot["deferred"] = f"{boot['base']}/{TEXTS}/{locale}.json"
        else:
            boot["languages"] = NAMES
        if page == "control" and self._installs_types:
            boot["installs_types"] = True
        return json.dumps(boot, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def deferred_text_files() -> dict[str, str]:
    """Return the deferred texts of phones: a JSON file for each language, by path."""
    files = {}
    for locale, texts in catalogs().items():
        deferred = {key: text for key, text in texts.items() if _is_deferred(key)}
        files[f"{TEXTS}/{locale}.json"] = json.dumps(deferred, ensure_ascii=False, separators=(",", ":"))
    return files


def _is_deferred(key: str) -> bool:
    return key.startswith(DEFERRED_TEXTS) and not key.startswith(INITIAL_TEXTS)


def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")


def _placeholder(key: str) -> str:
    """Return the name of a text in a template."""
    return key.replace(".", "_").replace("-", "_")
