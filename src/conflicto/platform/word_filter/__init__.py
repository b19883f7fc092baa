"""The word filter: find and mask listed words and phrases in texts.

Only whole words match, because false positives make hosts switch the filter off. `word_lists.py`
reads the lists of a package without common words. `matcher.py` finds words in a text, `phrases.py`
phrases, and `masking.py` masks JSON values. Everything here is pure; domain packages decide what to
do with a match.
"""
