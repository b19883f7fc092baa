"""The appearance of pages: language, theme and text size.

The query decides, else a cookie, else the browser's `Accept-Language`. The server renders the
wanted theme, so that no page flashes in another one. A value in the query is stored in a cookie.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from conflicto.platform.instants import S_PER_DAY
from conflicto.web.languages import NAMES, negotiate_locale, text_direction
from conflicto.web.request import cookies, header, query_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conflicto.platform.http.messages import Header, Request

CHOICES = {"theme": ("auto", "light", "dark"), "size": ("normal", "large", "largest")}
"""Choices of theme and size. The first of each is the default."""

ALLOWED_VALUES = {"lang": tuple(NAMES), **CHOICES}
"""Allowed values by the name of the query field and of the cookie."""

MAX_AGE_S = 365 * S_PER_DAY


class Appearance(NamedTuple):
    """The appearance of one page. `theme` and `size` are among `CHOICES`."""

    locale: str
    theme: str
    size: str


def read_appearance(request: Request, prefix: str = "") -> tuple[Appearance, list[Header]]:
    """Return the wanted appearance, and the cookies that store the values of the query."""
    requested, stored = query_fields(request.query_string, ALLOWED_VALUES), cookies(request.headers, ALLOWED_VALUES)
    languages = header(request.headers, b"accept-language").decode("latin-1")
    locale = negotiate_locale(NAMES, requested.get("lang"), stored.get("lang"), languages)
    appearance = Appearance(locale, *(_choice(name, requested.get(name), stored.get(name)) for name in CHOICES))
    return appearance, [
        _cookie(name, requested[name], prefix) for name, values in ALLOWED_VALUES.items() if requested.get(name) in values
    ]


def _cookie(name: str, value: str, prefix: str) -> Header:
    return (b"set-cookie", f"{name}={value}; Path={prefix}/; Max-Age={MAX_AGE_S}; SameSite=Lax".encode())


def appearance_form(texts: Mapping[str, str], appearance: Appearance) -> str:
    """Return the form for language, theme and size. Without scripts it reloads the page."""
    languages = [(name, f'lang="{name}" dir="{text_direction(name)}"', text) for name, text in NAMES.items()]
    fields = [_field("lang", texts, languages, appearance.locale)]
    for name, selected in (("theme", appearance.theme), ("size", appearance.size)):
        fields.append(_field(name, texts, [(value, "", texts[f"appearance.{value}"]) for value in CHOICES[name]], selected))
    return (
        f'<details class="menu appearance" data-appearance><summary><span aria-hidden="true">Aa</span>'
        f'<span class="hidden-text">{escape(texts["appearance.title"])}</span></summary>'
        f'<form class="stack card" method="get">{"".join(fields)}'
        f"<noscript><button>{escape(texts['appearance.apply'])}</button></noscript></form></details>"
    )


def _field(name: str, texts: Mapping[str, str], options: Iterable[tuple[str, str, str]], selected: str) -> str:
    listed = "".join(
        f'<option value="{value}" {more}{" selected" if value == selected else ""}>{escape(text)}</option>'
        for value, more, text in options
    )
    label = escape(texts[f"appearance.{name}"])
    select = f'<select id="appearance-{name}" name="{name}">{listed}</select>'
    return f'<label for="appearance-{name}">{label}</label>{select}'


def _choice(name: str, *preferences: str | None) -> str:
    return next((value for value in preferences if value in CHOICES[name]), CHOICES[name][0])
