"""Files of a type's folder: `folder_reader.py` reads them and collects every fault with its line.

`manifest.py` holds the formats of the small JSON files. `schema_files.py`, `upgrade_files.py` and
`view_files.py` check one kind of file each, and `pointer_checks.py` what leads from one to another.
"""
