"""The shells: HTML that shows something before any script runs, the same for everybody who reads the same language."""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import TYPE_CHECKING

from conflicto.web.assets import HERE, Asset, Assets, asset
from conflicto.web.languages import NAMES, catalogs, direction
from conflicto.web.looks import CHOICES, Looks, looks_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conflicto.activity_types.model import ActivityType

TEMPLATES = HERE / "templates"
PAGES = ("participant", "home", "control", "report", "screen")

STYLES = {"participant": ("base",), "screen": ("base", "screen")}
"""Style sheets of a page; hosts' pages have their own one in common."""

FOR_HOSTS = "host."
"""Words that phones and screens need not download begin so."""


class Shells:
    """Every page in every language, made once at start."""

    def __init__(self, assets: Assets, public_url: str, types: Iterable[ActivityType] = ()) -> None:
        self._assets = assets
        self._public_url = public_url
        self.catalogs = catalogs()
        self._types = _types(assets) | {known.name: _told(known) for known in types if not _is_ours(assets, known)}
        self._views = _views(assets)
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
        inner = Template(_template(page)).substitute(said, looks=looks_form(words, looks))
        base = f"/s/{self._assets.build}"
        html = Template(_template("shell")).substitute(
            lang=locale, dir=direction(locale), theme=looks.theme, size=looks.size, page=page, base=base, title=escape(words["app"]),
            noscript=escape(words["noscript"]), links=self._links(base, page), boot=self._boot(page, locale), main=inner,
        )  # fmt: skip
        return asset("text/html; charset=utf-8", html.encode())

    def _links(self, base: str, page: str) -> str:
        return "\n".join(f'<link rel="stylesheet" href="{base}/css/{name}.css">' for name in STYLES.get(page, ("base", "host")))

    def _boot(self, page: str, locale: str) -> str:
        """Return what the page's script begins with, as JSON that cannot end its element."""
        for_host = page not in STYLES
        words = {key: text for key, text in self.catalogs[locale].items() if for_host or not key.startswith(FOR_HOSTS)}
        boot: dict[str, object] = {
            "locale": locale, "base": f"/s/{self._assets.build}", "public_url": self._public_url, "languages": NAMES, "texts": words,
            "views": self._views,
        }  # fmt: skip
        if for_host:
            boot["types"] = self._types
        return json.dumps(boot, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _template(name: str) -> str:
    return (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")


def _name(key: str) -> str:
    """Return a word's key as a template names it."""
    return key.replace(".", "_").replace("-", "_")


def _is_ours(assets: Assets, known: ActivityType) -> bool:
    return f"types/{known.name}/type.json" in assets.files


def _told(known: ActivityType) -> dict[str, object]:
    """Return what a type from elsewhere says to those who make activities, from its own folder."""
    told: dict[str, object] = {
        "order": known.order, "icon": known.icon, "fresh": known.fresh, "defaults": known.defaults,
        "title": {"en": known.title} | {locale: texts["title"] for locale, texts in known.catalogs.items() if "title" in texts},
    }  # fmt: skip
    for part in ("config", "secret"):
        file = known.folder / f"{part}.schema.json"
        if file.exists():
            told[part] = json.loads(file.read_text(encoding="utf-8"))
    return told


def _types(assets: Assets) -> dict[str, object]:
    """Return what each activity type says of itself to those who make activities, by its name, in the types' own order."""
    found = {
        name.split("/")[1]: json.loads(each.body)
        for name, each in assets.files.items()
        if name.startswith("types/") and name.endswith("/type.json")
    }
    return dict(sorted(found.items(), key=lambda item: item[1]["order"]))


def _views(assets: Assets) -> Mapping[str, list[str]]:
    """Return which views each activity type brings, so that no page asks for one that is not there."""
    found: dict[str, list[str]] = {}
    for name in assets.files:
        if name.startswith("types/") and name.endswith(".js"):
            _, kind, view = name.split("/")
            found.setdefault(kind, []).append(view.removesuffix(".js"))
    return found
