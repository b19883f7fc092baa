"""The pages: for hosts, screens and phones.

Server side there is little: shells with the first picture, static modules under a path that names their build, and the code that phones
read. Everything else the pages ask of the API, with the same tokens as anybody else.
"""
