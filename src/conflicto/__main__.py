"""`python -m conflicto` is `conflicto`."""

from conflicto.cli import main

main()
