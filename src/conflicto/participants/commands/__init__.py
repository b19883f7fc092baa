"""Everything that can be done to a seat: `join.py` takes many at once, `seats.py` changes one."""
