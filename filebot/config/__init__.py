"""Configuration: one TOML file, checked as a whole before anything starts.

``schema`` has the tables and keys, ``types`` the types of their values, ``load`` reads a file,
``toml_positions`` finds the line of a key, and ``errors`` puts mistakes into words.
"""

from filebot.config.load import load
from filebot.config.schema import Config

__all__ = ["Config", "load"]
