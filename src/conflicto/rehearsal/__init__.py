"""Rehearsals: simulated participants who join a session, answer its activities and leave.

`traits.py` holds bot names and traits, `timing.py` their delays; both are pure. `simulation.py`
runs one session, `manager.py` all rehearsals of a process, `http.py` the endpoints. Answers come
from the activity's type (`activity_types/response_generator/generator.py`).
"""
