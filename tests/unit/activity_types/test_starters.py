"""The first example, which new activities start from, is translated text by text."""

from conflicto.activity_types.registry import installed

STARTER = "starter."


def _at(value: object, path: str) -> object:
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]  # type: ignore[index]
    return value


def test_english_equals_the_first_example() -> None:
    count = 0
    for known in installed().types:
        for key, text in known.catalogs.get("en", {}).items():
            if key.startswith(STARTER):
                assert _at(known.examples[0]["config"], key.removeprefix(STARTER)) == text, (known.name, key)
                count += 1
    assert count >= 6
