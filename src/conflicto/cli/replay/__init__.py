"""`conflicto replay`: a table of answers becomes a live session, over HTTP alone, and is read back and compared cell by cell.

`table.py` reads the file and `comparing.py` judges, both pure; `client.py` and `sending.py` talk to the server; `command.py` and
`screen.py` are what a person sees.
"""
