"""The supported subset of JSON Schema: `subset.py` lists it, `validator.py` compiles schemas.

`binding.py` copies limits from an activity's config into a schema. `keywords.py` implements the own
keywords that compare values, and `config_pointers.py` finds where pointers lead in a schema.
"""
