"""The command line ``filebot``."""

from filebot.cli.commands import main

__all__ = ["main"]
