"""Commands on seats: `join.py` takes many at once, `seats.py` changes one."""
