"""Results: what an activity's answers say together, by a spec that names what to fold and how (`spec.py`).

Every op is a pure fold in `folds/` with an exact `add` and `remove`, so a tally (`tally.py`) that follows commits equals a recount from
scratch at any moment, whatever was edited, deleted, moderated or reset. Answers are hostile JSON: what does not fit an op is left out.
Start with `tally.py`.
"""
