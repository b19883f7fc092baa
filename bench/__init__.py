"""How fast Conflicto is, as ratios against a floor in the same run: `make bench`, or `python -m bench --help`."""
