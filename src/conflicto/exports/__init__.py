"""A session's answers as files: every answer with all that belongs to it (`jsonl.py`), or people by questions (`csv.py`).

Both read one snapshot and write line by line. `rows.py` decides what stands in a line and is pure. An anonymous activity's answers never
stand beside who sent them: as lines they have no author, in the table each has a row of its own without a participant.
"""
