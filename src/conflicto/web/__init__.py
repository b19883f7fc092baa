"""The pages of hosts, screens and phones.

The server renders HTML shells and serves static modules under a path with the build's name.
Pages read everything else from the API, with the same tokens as other clients.
"""
