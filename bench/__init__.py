"""Benchmark of Conflicto, as ratios to a floor in the same run.

Run it with `make bench`, or see `python -m bench --help`.
"""
