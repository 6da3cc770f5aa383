"""Runs: directories that hold a search, and what they store.

- `run`: `Run`, one directory, with `manifest` and `front_file`; `selection` picks members of its front, `repeat` gives
  the command that repeats it.
- `store`: `Store`, one SQLite file (`database`) of `records`: evaluations, decisions, members, notes, a table a module.
"""
