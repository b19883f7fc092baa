"""Metrics of the program, in Prometheus' text format.

`definitions.py` is the table of all metrics, and `registry.py` holds the numbers of one process.
`multiprocess.py` merges the numbers of all workers of one `conflicto serve`, so that any worker can
answer for all. `exposition.py` renders `/metrics`; `deprecated.py` adds the old names. Label values
are bounded: routes are templates, never paths.
"""
