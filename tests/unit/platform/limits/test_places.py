"""Places for costly work: some for each key, some in all, and free again when their holders are done."""

import pytest

from conflicto.platform.limits.places import Places
from conflicto.platform.problems import Overloaded, Unavailable


def test_places_of_one_key_and_of_all_are_taken_and_given_back() -> None:
    places = Places(3, 2, key_taken=Overloaded, all_taken=Unavailable)
    with places.held("anna", retry_after_s=1), places.held("anna", retry_after_s=1):
        with pytest.raises(Overloaded), places.held("anna", retry_after_s=1):
            pytest.fail("two are all that one key has")
        with places.held("ben", retry_after_s=1), pytest.raises(Unavailable), places.held("clara", retry_after_s=1):
            pytest.fail("three are all that there are")
    with places.held("clara", retry_after_s=1), places.held("anna", retry_after_s=1):
        pass
