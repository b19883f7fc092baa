"""One database, two dialects: readers in threads, one writer that commits in groups, a deadline on everything.

Start with `engine.py` (connections), then `writer.py` (how a group is committed) and `stamps.py` (how its rows get their order).
"""
