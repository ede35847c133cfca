"""Fuzzing of the proxy's core: see `python -m fuzz --help` and docs/develop.md."""
