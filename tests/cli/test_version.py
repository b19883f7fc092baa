"""The output of `conflicto --version`."""

from conflicto import __version__
from tests.support.processes import run


def test_version_is_printed() -> None:
    done = run("--version", env={})

    assert (done.exit_code, done.stdout) == (0, f"conflicto {__version__}\n")
