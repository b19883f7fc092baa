"""The Python interpreter of the server: its tuning and its known vulnerabilities."""
