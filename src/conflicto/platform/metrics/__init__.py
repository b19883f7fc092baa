"""What the program counts of itself, for Prometheus: numbers that cost nothing until somebody asks for the page.

`names.py` is the one table of all metrics, `counting.py` holds the numbers of one process, `sharing.py` brings the workers of one `serve`
together, so that every one of them answers for all. Labels have bounded values: route templates, never paths.
"""
