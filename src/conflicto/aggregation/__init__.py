"""Aggregation of JSON values by a spec (`spec.py`); each operation has one file in `operations/`.

Every operation is a pure fold with an exact `add` and `remove`. So a state that follows changes
equals a recount from scratch at any moment. Values are untrusted JSON: values that do not fit an
operation are left out.

To add an operation, write one file there, and one for its view in `web/static/sdk/charts/`. Start
with `operation.py`.
"""
