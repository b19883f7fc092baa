"""Aggregation: what a spec (`spec.py`) makes of JSON values, by operations that each stand in one file of `operations/`.

Every operation is a pure fold with an exact `add` and `remove`, so what follows changes equals a recount from scratch at any moment.
Values are hostile JSON: what does not fit an operation is left out. Whoever adds an operation writes one file there, and one for its
picture in `web/static/sdk/charts/`. Start with `operation.py`.
"""
