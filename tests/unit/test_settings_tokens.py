"""Operators' tokens in the settings."""

import pytest

from conflicto.settings import SettingsInvalid, read_settings

TOKEN = "prometheus-of-a-test"


@pytest.mark.parametrize("token", ["too-short", "a.dot.of.a.jwt.in.it"])
def test_a_token_of_the_metrics_that_is_no_good_is_refused_by_name_and_not_repeated(token: str) -> None:
    with pytest.raises(SettingsInvalid, match="CONFLICTO_METRICS_TOKEN") as raised:
        read_settings({"CONFLICTO_METRICS_TOKEN": token})
    assert token not in str(raised.value)


def test_a_token_of_the_metrics_is_not_the_operators_own() -> None:
    with pytest.raises(SettingsInvalid, match="Choose another one") as raised:
        read_settings({"CONFLICTO_METRICS_TOKEN": TOKEN, "CONFLICTO_ADMIN_TOKEN": TOKEN})
    assert TOKEN not in str(raised.value)
    assert read_settings({"CONFLICTO_METRICS_TOKEN": TOKEN}).secret("metrics_token") == TOKEN
