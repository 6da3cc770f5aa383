"""Runs: the directory of a search, its store, manifest and front file."""
