"""Infrastructure by capability: clock, ids, JSON, problems, database, HTTP.

It contains no domain terms.
"""
