"""Commands on activities: `edit.py` creates and changes them, `run.py` moves them."""
