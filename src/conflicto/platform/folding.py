"""Folding of text for comparison: spellings that look the same to a reader get one key.

Folded text is never shown. Case and compatibility forms follow Unicode (full case folding, NFKC).
In addition, `fold` drops marks without a visible effect (variation selectors, joiners, soft
hyphens, Hebrew points, Arabic tatweel and harakat) and unifies apostrophes and hyphens.
"""

from __future__ import annotations

import re

from conflicto.platform.normalization import normalized

_VARIATION_SELECTORS = "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_INVISIBLE = "\u00ad\u034f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
_HEBREW_POINTS = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
_ARABIC_MARKS = "\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
_DROPPED = re.compile(f"[{_VARIATION_SELECTORS}{_INVISIBLE}{_HEBREW_POINTS}{_ARABIC_MARKS}]")
# A joiner between pictographs combines them (a family); after a letter or mark it only changes
# shapes.
_SHAPING_JOINER = re.compile(r"(?<=[^\W_])[\u200c\u200d]+|(?<=[\u0300-\u036f\u0900-\u0dff\u0e00-\u109f])[\u200c\u200d]+|\u200c")
_DOT_OF_CAPITAL_I = re.compile("(?<=i)\u0307")
_SAME_SIGNS = str.maketrans(
    dict.fromkeys("\u0060\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201b\u2032\u055a\uff07", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-")
)


def fold(text: str) -> str:
    """Return the key that all spellings of a text share; folding a key again does not change it.

    >>> fold("O\u2019Brien") == fold("o'brien"), fold("\u0130stanbul") == fold("istanbul")
    (True, True)
    >>> fold("\u2764\ufe0f") == fold("\u2764")
    True
    """
    if text.isascii():
        return text.lower().replace("`", "'")
    bare = _DROPPED.sub("", normalized("NFKC", text.translate(_SAME_SIGNS)).translate(_SAME_SIGNS))
    folded = normalized("NFKC", normalized("NFKD", _SHAPING_JOINER.sub("", bare)).casefold())
    return _DROPPED.sub("", _DOT_OF_CAPITAL_I.sub("", folded))
