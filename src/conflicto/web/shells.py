"""The shells: HTML that shows something before any script runs, the same for everybody who reads the same language."""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import TYPE_CHECKING

from conflicto.participants.nickname import MAX_CHARS
from conflicto.platform.http.prefix import prefix_of
from conflicto.sessions.schemas import MAX_TITLE_CHARS
from conflicto.web.assets import HERE, Asset, Assets, asset
from conflicto.web.languages import NAMES, catalogs, direction
from conflicto.web.looks import CHOICES, Looks, looks_form
from conflicto.web.prefix import with_prefix
from conflicto.web.telling import told_to_all, told_to_hosts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.activity_types.model import ActivityType

TEMPLATES = HERE / "templates"
PHONE = "participant"
WORDS = "words"
PAGES = ("participant", "home", "control", "report", "screen")

STYLES = {"participant": ("base",), "screen": ("base", "screen"), "control": ("base", "screen", "host")}
"""Style sheets of a page; the other hosts' pages have two in common. The control page shows a screen in small."""

OF_HOSTS = (
    "already-revealed", "answers-exist", "author-hidden", "export-busy", "export-failed", "export-not-ready", "export-unknown",
    "moderation-off", "move-not-allowed", "names-hidden", "not-timed", "operator-only", "owner-only", "pattern-too-large",
    "rehearsal-there", "revision-stale", "scan", "too-many-activities", "too-many-links", "too-many-rehearsals",
    "transition-not-allowed",
)  # fmt: skip
"""How the codes of problems begin that hosts alone meet."""

HELD_BACK = {
    "participant": (
        "host.",
        "key.",
        "step.",
        "screen.",
        "looks.",
        "form.",
        "links.",
        "noscript",
        *(f"problem.{code}" for code in OF_HOSTS),
    ),
    "screen": ("host.",),
}
"""How words begin that a page need not download. A screen may be controlled where its browser is a host's."""

LATER = (
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

AT_ONCE = ("problem.offline", "problem.unknown", "problem.foreign", "problem.nickname-invalid.too-long", "menu.title")
"""Those of them that are needed before, or while nothing can be fetched."""

BOUNDS = {"nickname": MAX_CHARS, "title": MAX_TITLE_CHARS}
"""Bounds of fields of pages, in characters: the server's own."""

DIGITS = {"ar": "-u-nu-latn"}
"""Extension of a language tag for `Intl`. Engines differ in the digits of Arabic; those in a room read the same ones."""


class Shells:
    """Every page in every language, made once at start."""

    def __init__(
        self,
        assets: Assets,
        public_url: str,
        types: Iterable[ActivityType] = (),
        pictures: Iterable[str] = (),
        *,
        retention_days: int = 0,
        server: str = "",
    ) -> None:
        self._assets = assets
        self._pictures = list(pictures)
        self._retention_days = retention_days
        self._public_url = public_url
        self._prefix = prefix_of(public_url)
        self._server = server
        self.catalogs = catalogs()
        self._types = tuple(types)
        self._made = {(page, looks): self._make(page, looks) for page in PAGES for looks in self._usual()}

    def page(self, page: str, looks: Looks) -> Asset:
        """Return a page as a reader wants it; the unusual ones are made when someone first wants them."""
        made = self._made.get((page, looks))
        if made is None:
            made = self._made[page, looks] = self._make(page, looks)
        return made

    def _usual(self) -> Iterable[Looks]:
        return (Looks(locale, CHOICES["theme"][0], CHOICES["size"][0]) for locale in self.catalogs)

    def _make(self, page: str, looks: Looks) -> Asset:
        locale, words = looks.locale, self.catalogs[looks.locale]
        said = {_name(key): escape(text) for key, text in words.items()}
        inner = Template(with_prefix(_template(page), self._prefix)).substitute(said, looks=looks_form(words, looks))
        base = f"{self._prefix}/s/{self._assets.build}"
        html = Template(_template("shell")).substitute(
            lang=locale, dir=direction(locale), theme=looks.theme, size=looks.size, page=page, base=base, title=escape(words["app"]),
            noscript=escape(words["noscript"]), links=self._links(base, page), boot=self._boot(page, locale), main=inner,
        )  # fmt: skip
        return asset("text/html; charset=utf-8", html.encode())

    def _links(self, base: str, page: str) -> str:
        return "\n".join(f'<link rel="stylesheet" href="{base}/css/{name}.css">' for name in STYLES.get(page, ("base", "host")))

    def _boot(self, page: str, locale: str) -> str:
        """Return what the page's script begins with, as JSON that cannot end its element."""
        tell = told_to_all if page in HELD_BACK else told_to_hosts
        words = {key: text for key, text in self.catalogs[locale].items() if not key.startswith(HELD_BACK.get(page, ()))}
        if page == PHONE:
            words = {key: text for key, text in words.items() if not _is_for_later(key)}
        boot: dict[str, object] = {
            "locale": locale + DIGITS.get(locale, ""), "bounds": BOUNDS, "base": f"{self._prefix}/s/{self._assets.build}",
            "public_url": self._public_url, "server": self._server, "pictures": self._pictures,
            "texts": words, "retention_days": self._retention_days,
            "types": {known.name: tell(known, locale) for known in self._types},
        }  # fmt: skip
        if page == PHONE:
            boot["later"] = f"{boot['base']}/{WORDS}/{locale}.json"
        else:
            boot["languages"] = NAMES
        return json.dumps(boot, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def words_for_later() -> dict[str, str]:
    """Return the files of words that phones fetch after the room is open: texts of JSON by path."""
    found = {}
    for locale, words in catalogs().items():
        late = {key: text for key, text in words.items() if _is_for_later(key)}
        found[f"{WORDS}/{locale}.json"] = json.dumps(late, ensure_ascii=False, separators=(",", ":"))
    return found


def _is_for_later(key: str) -> bool:
    return key.startswith(LATER) and not key.startswith(AT_ONCE)


def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")


def _name(key: str) -> str:
    """Return a word's key as a template names it."""
    return key.replace(".", "_").replace("-", "_")
