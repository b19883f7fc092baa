"""Plural forms may differ between languages, but each has a plain form."""

from dataclasses import replace

from conflicto.activity_types.kit.conformance import catalogs_are_complete
from conflicto.activity_types.registry import installed


def test_plurals_are_each_languages_own() -> None:
    known = installed().types[0]
    catalogs = {locale: {**texts, "sent": "{n}"} for locale, texts in known.catalogs.items()}
    catalogs["en"] |= {"sent.one": "one"}
    assert list(catalogs_are_complete(replace(known, catalogs=catalogs))) == []

    catalogs["de"] |= {"told.one": "eins"}
    assert list(catalogs_are_complete(replace(known, catalogs=catalogs))) == [
        f"{known.name}/i18n/de.json:1 at /told.one: has a plural of told, which is missing. Add told, the form for other numbers."
    ]
