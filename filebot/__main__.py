"""``python -m filebot``."""

from filebot.cli import main

main(prog_name="filebot")
