"""Files: whole writes, CSV and TOML, options behind a name, and how long work reports progress."""
