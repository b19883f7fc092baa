import re

from tools.catalogue import FULL, ROOT, WITHOUT_MARK, covered, marked

BY_HAND = {"J-04", "J-08", "J-10", "J-15", "J-16", "S-01", "S-03", "A-01", "A-02", "A-04", "A-08", "A-09", "A-10", "A-12", "E-03"}
"""Cases whose tests are older than the mark. Each must have a test."""


def test_marks_are_found_wherever_they_stand() -> None:
    source = '@pytest.mark.catalogue("J-01", "J-02")\n@pytest.mark.other\nasync def test_x(): ...\n\n@other\ndef test_y(): ...\n'

    assert list(marked(source)) == [("J-01", "test_x"), ("J-02", "test_x")]


def test_cases_are_named_as_the_catalogue_does_and_the_older_ones_have_their_tests() -> None:
    found = covered(ROOT)

    assert all(re.fullmatch(r"[A-Z]-\d\d", case) for case in found)
    assert found.keys() >= BY_HAND
    there = (ROOT / FULL).read_text(encoding="utf-8")
    assert all(f"async def {test.rpartition('::')[2]}(" in there for tests in WITHOUT_MARK.values() for test in tests)
