"""HTTP: one route table, one request pipeline, one format of problems.

Start with `routes.py` (what a route declares), then `request_pipeline.py` (the steps of every
request).
"""
