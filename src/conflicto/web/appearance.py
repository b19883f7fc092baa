"""How a reader wants pages: language, theme and size of text. The address decides, else a cookie, else what the browser says.

Pages come as they are wanted, so nothing is seen in another theme first. What stands in the address is kept in a cookie.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from conflicto.web.languages import NAMES, negotiate_locale, text_direction
from conflicto.web.request import cookies, header, query_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conflicto.platform.http.messages import Header, Request

CHOICES = {"theme": ("auto", "light", "dark"), "size": ("normal", "large", "largest")}
"""What can be chosen; the first of each is what nobody has chosen."""

ALLOWED_VALUES = {"lang": tuple(NAMES), **CHOICES}
"""The values that may be chosen, by the name of the query field and of the cookie."""

MAX_AGE_S = 365 * 86_400


class Appearance(NamedTuple):
    """What a page is made for. `theme` and `size` are among `CHOICES`."""

    locale: str
    theme: str
    size: str


def read_appearance(request: Request, prefix: str = "") -> tuple[Appearance, list[Header]]:
    """Return what the reader wants, and the headers that keep what the address asks for on the pages below `prefix`."""
    asked, kept = query_fields(request.query_string, ALLOWED_VALUES), cookies(request.headers, ALLOWED_VALUES)
    languages = header(request.headers, b"accept-language").decode("latin-1")
    locale = negotiate_locale(NAMES, asked.get("lang"), kept.get("lang"), languages)
    looks = Appearance(locale, *(_choice(name, asked.get(name), kept.get(name)) for name in CHOICES))
    return looks, [_cookie(name, asked[name], prefix) for name, values in ALLOWED_VALUES.items() if asked.get(name) in values]


def _cookie(name: str, value: str, prefix: str) -> Header:
    return (b"set-cookie", f"{name}={value}; Path={prefix}/; Max-Age={MAX_AGE_S}; SameSite=Lax".encode())


def appearance_form(words: Mapping[str, str], looks: Appearance) -> str:
    """Return the form in which a reader chooses; without scripts it asks for the page anew."""
    languages = [(name, f'lang="{name}" dir="{text_direction(name)}"', text) for name, text in NAMES.items()]
    fields = [_field("lang", words, languages, looks.locale)]
    for name, of in (("theme", looks.theme), ("size", looks.size)):
        fields.append(_field(name, words, [(value, "", words[f"looks.{value}"]) for value in CHOICES[name]], of))
    return (
        f'<details class="menu looks" data-looks><summary><span aria-hidden="true">Aa</span>'
        f'<span class="hidden-text">{escape(words["looks.title"])}</span></summary>'
        f'<form class="stack card" method="get">{"".join(fields)}'
        f"<noscript><button>{escape(words['looks.apply'])}</button></noscript></form></details>"
    )


def _field(name: str, words: Mapping[str, str], options: Iterable[tuple[str, str, str]], of: str) -> str:
    listed = "".join(
        f'<option value="{value}" {more}{" selected" if value == of else ""}>{escape(text)}</option>'
        for value, more, text in options
    )
    return f'<label for="looks-{name}">{escape(words[f"looks.{name}"])}</label><select id="looks-{name}" name="{name}">{listed}</select>'


def _choice(name: str, *wishes: str | None) -> str:
    return next((wish for wish in wishes if wish in CHOICES[name]), CHOICES[name][0])
