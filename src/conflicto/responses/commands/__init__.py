"""Everything that can be done to responses: `submit.py` takes many at once, `change.py` edits, moderates and removes."""
