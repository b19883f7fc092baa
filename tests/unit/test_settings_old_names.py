"""Old names of settings: read, refused in a conflict, and reported at the start."""

import pytest

from conflicto.settings import OLD_NAMES, Settings, SettingsInvalid, deprecated_variables, read_settings, unknown_variables

VALUES = {
    "CONFLICTO_MAX_RESPONSES": ("7", "8"),
    "CONFLICTO_MAX_RESPONSES_PER_PARTICIPANT": ("3", "4"),
    "CONFLICTO_IMAGE_ORIGINS": ("https://a.example", "https://b.example"),
    "CONFLICTO_FAST_PATH": ("off", "on"),
    "CONFLICTO_MAX_CACHE_MB": ("64", "128"),
    "CONFLICTO_LOG_FORMAT": ("text", "json"),
}
"""Two valid values of each renamed setting."""

NAMES = OLD_NAMES.items()


def test_every_renamed_setting_exists() -> None:
    aliases = {field.alias for field in Settings.model_fields.values()}
    assert set(OLD_NAMES.values()) == set(VALUES) <= aliases
    assert not set(OLD_NAMES) & aliases


@pytest.mark.parametrize(("old", "new"), NAMES)
def test_an_old_name_is_read_as_the_new_one(old: str, new: str) -> None:
    value, _ = VALUES[new]
    assert read_settings({old: value}) == read_settings({new: value}) != read_settings({})


@pytest.mark.parametrize(("old", "new"), NAMES)
def test_both_names_with_one_value_are_accepted_and_with_different_values_refused(old: str, new: str) -> None:
    value, other = VALUES[new]
    assert read_settings({old: value, new: value}) == read_settings({new: value})

    with pytest.raises(SettingsInvalid) as refusal:
        read_settings({old: value, new: other})

    assert str(refusal.value) == f"{old} is the old name of {new}, and both are set to different values. Remove {old}."


def test_an_empty_old_name_counts_as_missing() -> None:
    environment = {"CONFLICTO_MOST_ANSWERS": "", "CONFLICTO_MAX_RESPONSES": "7"}
    assert read_settings(environment).max_responses == 7
    assert deprecated_variables(environment) == {}
    assert read_settings({"CONFLICTO_MOST_ANSWERS": "7", "CONFLICTO_MAX_RESPONSES": ""}).max_responses == 7


def test_an_invalid_value_is_reported_under_the_name_that_was_set() -> None:
    with pytest.raises(SettingsInvalid, match=r"^CONFLICTO_MOST_ANSWERS: ") as refusal:
        read_settings({"CONFLICTO_MOST_ANSWERS": "many-of-them"})
    assert "many-of-them" not in str(refusal.value)


def test_old_names_are_deprecated_and_not_unknown() -> None:
    environment = {"CONFLICTO_EXPRESS": "off", "CONFLICTO_EXPRES": "off"}
    assert deprecated_variables(environment) == {"CONFLICTO_EXPRESS": "CONFLICTO_FAST_PATH"}
    assert unknown_variables(environment) == ["CONFLICTO_EXPRES"]
