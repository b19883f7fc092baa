"""Exports: a session's answers as CSV, spreadsheet or JSON Lines.

`rows.py` and `layouts.py` build rows and are pure. `sheets.py` reads one snapshot and yields rows;
`csv.py`, `xlsx.py` and `jsonl.py` write them one by one, and `files.py` selects the format. Answers
to anonymous activities never appear beside their authors. As rows they have no author; in tables
each has its own row without a participant, in the order of the text.
"""
