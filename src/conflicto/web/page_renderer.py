"""The shells: HTML that shows something before any script runs, the same for everybody who reads the same language."""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import TYPE_CHECKING

from conflicto.participants.nickname import MAX_CHARS
from conflicto.platform.http.path_prefix import prefix_of
from conflicto.sessions.schemas import MAX_TITLE_CHARS
from conflicto.web.appearance import CHOICES, Appearance, appearance_form
from conflicto.web.assets import HERE, Asset, AssetBundle, make_asset
from conflicto.web.languages import NAMES, catalogs, text_direction
from conflicto.web.page_data import host_type_data, type_data
from conflicto.web.prefix import add_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

TEMPLATES = HERE / "templates"
PHONE = "participant"
TEXTS = "words"
PAGES = ("participant", "home", "control", "report", "screen")

STYLES = {"participant": ("base",), "screen": ("base", "screen"), "control": ("base", "screen", "host")}
"""Style sheets of a page; the other hosts' pages have two in common. The control page shows a screen in small."""

HOST_PROBLEMS = (
    "already-revealed", "answers-exist", "author-hidden", "export-busy", "export-failed", "export-not-ready", "export-unknown",
    "moderation-off", "move-not-allowed", "names-hidden", "not-timed", "operator-only", "owner-only", "pattern-too-large",
    "rehearsal-there", "revision-stale", "scan", "too-many-activities", "too-many-links", "too-many-rehearsals",
    "transition-not-allowed",
)  # fmt: skip
"""How the codes of problems begin that hosts alone meet."""

EXCLUDED_TEXTS = {
    "participant": (
        "host.",
        "key.",
        "step.",
        "screen.",
        "looks.",
        "form.",
        "links.",
        "noscript",
        *(f"problem.{code}" for code in HOST_PROBLEMS),
    ),
    "screen": ("host.",),
}
"""How words begin that a page need not download. A screen may be controlled where its browser is a host's."""

DEFERRED_TEXTS = (
    "problem.",
    "move.",
    "moved.",
    "arrival.",
    "notice.",
    "results.",
    "leaderboard.",
    "menu.",
    "json.",
    "state.unkept",
    "answer.blocked",
    "handover.",
)
"""How words of the phone's page begin that come after the room is open, or when they are first needed."""

INITIAL_TEXTS = ("problem.offline", "problem.unknown", "problem.foreign", "problem.nickname-invalid.too-long", "menu.title")
"""Those of them that are needed before, or while nothing can be fetched."""

FIELD_LIMITS = {"nickname": MAX_CHARS, "title": MAX_TITLE_CHARS}
"""Bounds of fields of pages, in characters: the server's own."""

LOCALE_EXTENSIONS = {"ar": "-u-nu-latn"}
"""Extension of a language tag for `Intl`. Engines differ in the digits of Arabic; those in a room read the same ones."""


class PageRenderer:
    """Every page in every language, made once at start."""

    def __init__(
        self,
        assets: AssetBundle,
        public_url: str,
        types: Iterable[ActivityType] = (),
        image_origins: Iterable[str] = (),
        *,
        retention_days: int = 0,
        server: str = "",
    ) -> None:
        self._assets = assets
        self._image_origins = list(image_origins)
        self._retention_days = retention_days
        self._public_url = public_url
        self._prefix = prefix_of(public_url)
        self._server = server
        self.catalogs = catalogs()
        self._types = tuple(types)
        self._cache = {(page, looks): self._render(page, looks) for page in PAGES for looks in self._default_appearances()}

    def render(self, page: str, looks: Appearance) -> Asset:
        """Return a page as a reader wants it; the unusual ones are made when someone first wants them."""
        made = self._cache.get((page, looks))
        if made is None:
            made = self._cache[page, looks] = self._render(page, looks)
        return made

    def _default_appearances(self) -> Iterable[Appearance]:
        return (Appearance(locale, CHOICES["theme"][0], CHOICES["size"][0]) for locale in self.catalogs)

    def _render(self, page: str, looks: Appearance) -> Asset:
        locale, words = looks.locale, self.catalogs[looks.locale]
        said = {_placeholder(key): escape(text) for key, text in words.items()}
        inner = Template(add_prefix(_template(page), self._prefix)).substitute(said, looks=appearance_form(words, looks))
        base = f"{self._prefix}/s/{self._assets.build}"
        html = Template(_template("shell")).substitute(
            lang=locale, dir=text_direction(locale), theme=looks.theme, size=looks.size, page=page, base=base, title=escape(words["app"]),
            noscript=escape(words["noscript"]), links=self._stylesheet_links(base, page), boot=self._boot(page, locale), main=inner,
        )  # fmt: skip
        return make_asset("text/html; charset=utf-8", html.encode())

    def _stylesheet_links(self, base: str, page: str) -> str:
        return "\n".join(f'<link rel="stylesheet" href="{base}/css/{name}.css">' for name in STYLES.get(page, ("base", "host")))

    def _boot(self, page: str, locale: str) -> str:
        """Return what the page's script begins with, as JSON that cannot end its element."""
        tell = type_data if page in EXCLUDED_TEXTS else host_type_data
        words = {key: text for key, text in self.catalogs[locale].items() if not key.startswith(EXCLUDED_TEXTS.get(page, ()))}
        if page == PHONE:
            words = {key: text for key, text in words.items() if not _is_deferred(key)}
        boot: dict[str, object] = {
            "locale": locale + LOCALE_EXTENSIONS.get(locale, ""), "limits": FIELD_LIMITS, "base": f"{self._prefix}/s/{self._assets.build}",
            "public_url": self._public_url, "server": self._server, "image_origins": self._image_origins,
            "texts": words, "retention_days": self._retention_days,
            "types": {known.name: tell(known, locale) for known in self._types},
        }  # fmt: skip
        if page == PHONE:
            boot["deferred"] = f"{boot['base']}/{TEXTS}/{locale}.json"
        else:
            boot["languages"] = NAMES
        return json.dumps(boot, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def deferred_text_files() -> dict[str, str]:
    """Return the files of words that phones fetch after the room is open: texts of JSON by path."""
    found = {}
    for locale, words in catalogs().items():
        late = {key: text for key, text in words.items() if _is_deferred(key)}
        found[f"{TEXTS}/{locale}.json"] = json.dumps(late, ensure_ascii=False, separators=(",", ":"))
    return found


def _is_deferred(key: str) -> bool:
    return key.startswith(DEFERRED_TEXTS) and not key.startswith(INITIAL_TEXTS)


def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")


def _placeholder(key: str) -> str:
    """Return a word's key as a template names it."""
    return key.replace(".", "_").replace("-", "_")
