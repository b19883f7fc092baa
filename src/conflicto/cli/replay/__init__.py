"""`conflicto replay`: sends a table of answers through a live session and compares the result.

`table.py` reads the file and `comparison.py` compares, both pure. `client.py` and `session.py` use
the HTTP API. `command.py` and `run.py` are the command.
"""
