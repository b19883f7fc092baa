"""Everything that can be done to an activity: `edit.py` makes and changes it, `run.py` moves it through its lifecycle."""
