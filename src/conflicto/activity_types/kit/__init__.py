"""Tools for authors of types: `scaffold.py` makes a folder, and `conformance.py` tests one.

`property_tests.py` tests it with generated configs and answers.
"""
