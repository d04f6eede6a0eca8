"""The configuration: one TOML file, checked whole before anything starts.

``schema`` has the tables and keys, ``values`` what can stand in them, ``load`` reads a file, ``places``
knows on which line of it a key is, and ``mistakes`` says in plain words what does not hold.
"""

from filebot.config.load import load
from filebot.config.schema import Config

__all__ = ["Config", "load"]
