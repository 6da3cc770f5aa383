"""Named configurations: published methods as settings of a search, TOML files in this folder.

- `named_configs` lists them; `load_config` reads one; `describe_configs` says what each is and how it differs.
"""

from evonas.configs.registry import NamedConfig, describe_configs, load_config, named_configs

__all__ = ["NamedConfig", "describe_configs", "load_config", "named_configs"]
