"""The code that phones read: black on white whatever the theme, with the quiet border that readers need."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import segno

from conflicto.web.assets import Asset, asset

BORDER = 4
"""Modules of white around it (ISO/IEC 18004)."""


@lru_cache(maxsize=256)
def code_picture(text: str) -> Asset:
    """Return the text as a QR code in SVG that scales to whatever place it is given."""
    into = BytesIO()
    segno.make(text, error="m", micro=False).save(
        into, kind="svg", border=BORDER, dark="#000", light="#fff", omitsize=True, xmldecl=False, nl=False
    )
    return asset("image/svg+xml", into.getvalue())
