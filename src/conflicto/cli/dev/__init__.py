"""`conflicto types dev`: a type on phone, screen and the pages of hosts, loaded again on each save.

`command.py` starts, `folder_reload.py` starts the server again when a file changes, and `server.py`
is the application with the page beside it. `rehearsed_session.py` fills a session with answers.
`pictures.py` takes pictures of the pages for `conflicto types test`.
"""
