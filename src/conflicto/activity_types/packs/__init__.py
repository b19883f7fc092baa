"""Packs: an activity type as one file, which a stranger sends and an operator installs.

`archive.py` writes and reads the file, `packing.py` makes it of a folder, `index.py` lists the
installed packs, and `installation.py` installs and removes them. No code of a pack ever runs on the
server: it holds schemas, texts and views, which run in frames.
"""
