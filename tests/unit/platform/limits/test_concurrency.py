"""Limits on running requests: per key, in total, and released at the end."""

import pytest

from conflicto.platform.limits.concurrency import ConcurrencyLimit
from conflicto.platform.problems import Overloaded, Unavailable


def test_slots_are_limited_per_key_and_in_total_and_are_released() -> None:
    places = ConcurrencyLimit(3, 2, key_error=Overloaded, total_error=Unavailable)
    with places.slot("anna", retry_after_s=1), places.slot("anna", retry_after_s=1):
        with pytest.raises(Overloaded), places.slot("anna", retry_after_s=1):
            pytest.fail("a key may have two")
        with places.slot("ben", retry_after_s=1), pytest.raises(Unavailable), places.slot("clara", retry_after_s=1):
            pytest.fail("the total is three")
    with places.slot("clara", retry_after_s=1), places.slot("anna", retry_after_s=1):
        pass
