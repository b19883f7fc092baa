"""Fill a session with scripted participants who join, answer plausibly and at human times, and go again with all they said.

`people.py` has their names, `timing.py` says when they act: both pure. `troupe.py` plays one session, `stage.py` is all that runs in this
process, `http.py` the endpoints. What they answer comes from the activity's type (`activity_types/generator.py`).
"""
