"""Find and mask listed words in texts: whole words and phrases alone, since a filter that hits the innocent is switched off.

`lists.py` reads the lists of a package and leaves out what ordinary talk needs, `matching.py` finds words in a text, and `masking.py`
walks a JSON value. Everything here is pure; what is to be done with a found word is the rooms' business.
"""
