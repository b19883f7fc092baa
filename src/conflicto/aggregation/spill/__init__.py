"""Temporary database on disk for the states of tallies with too many distinct keys for memory.

It holds nothing beyond the rows of responses. It ends with its process, and a tally that needs it
is then counted again.
"""
