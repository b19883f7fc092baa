"""The databases behind one protocol: everything that SQLite and PostgreSQL do differently.

Start with `dialect.py` (the protocol). `registry.py` chooses by URL. No other module compares a
database's name.
"""
