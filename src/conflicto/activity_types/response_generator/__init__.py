"""Generated answers: `generator.py` invents plausible answers to one activity.

`sampling.py` draws values that fit a schema, and `allocation.py` spreads declared sums over them.
"""
