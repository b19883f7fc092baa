"""The file with the operator's token: complete or absent."""

from pathlib import Path

import pytest

from conflicto.access.identity import ADMIN_FILE, write_admin_token


def test_a_failed_replacement_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / ADMIN_FILE).mkdir()

    with pytest.raises(OSError, match=ADMIN_FILE):
        write_admin_token(tmp_path, "the-operator-of-the-tests")

    assert [each.name for each in tmp_path.iterdir()] == [ADMIN_FILE]
