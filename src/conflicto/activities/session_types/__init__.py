"""Activity types that a host installs for one session.

Start at `model.py`. `checking.py` tests a pack in a process of its own, before the database stores
it. `loader.py` adds it to the registry of each process that needs it.
"""
