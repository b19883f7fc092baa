"""Commands of responses: `submit.py` stores groups, `change.py` edits, moderates and deletes."""
