"""A temporary database on disk for the states of tallies with more distinct keys than memory shall hold.

It holds nothing that the rows of answers do not: it is gone with its process, and a tally that needs it is then counted again.
"""
