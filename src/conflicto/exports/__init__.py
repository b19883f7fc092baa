"""A session's answers as a file: a row for each answer, or people by activities; as CSV, spreadsheet or JSON Lines.

`rows.py` decides what stands in a row and is pure; `sheets.py` reads one snapshot and yields rows; `csv.py`, `xlsx.py` and `jsonl.py`
write them one by one, and `files.py` knows which is asked for. An anonymous activity's answers never stand beside who sent them: as rows
they have no author, in the table each has a row of its own without a participant, in the order of the text.
"""
