"""Infrastructure by capability: clock, ids, JSON, problems, database, HTTP. No domain word lives below this line."""
