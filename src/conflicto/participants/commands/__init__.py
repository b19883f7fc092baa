"""Commands on seats, in `seats.py`; `joining/commands.py` takes new ones."""
