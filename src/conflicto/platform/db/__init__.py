"""One database, two dialects: readers in threads, one writer that commits in groups, timeouts.

Start with `engine.py` (connections), then `writer.py` (commits in groups) and `sequence.py` (the
order of rows).
"""
