"""Places for costly work: some for each key, some in all, and free again when their holders are done."""

import pytest

from conflicto.platform.limits.concurrency import ConcurrencyLimit
from conflicto.platform.problems import Overloaded, Unavailable


def test_places_of_one_key_and_of_all_are_taken_and_given_back() -> None:
    places = ConcurrencyLimit(3, 2, key_error=Overloaded, total_error=Unavailable)
    with places.slot("anna", retry_after_s=1), places.slot("anna", retry_after_s=1):
        with pytest.raises(Overloaded), places.slot("anna", retry_after_s=1):
            pytest.fail("two are all that one key has")
        with places.slot("ben", retry_after_s=1), pytest.raises(Unavailable), places.slot("clara", retry_after_s=1):
            pytest.fail("three are all that there are")
    with places.slot("clara", retry_after_s=1), places.slot("anna", retry_after_s=1):
        pass
