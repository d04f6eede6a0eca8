"""One thing that somebody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from filebot.plugin.commands import Command


@dataclass(frozen=True, slots=True)
class Meaning:
    """Command that is meant, with its arguments."""

    command: Command
    usage: str
    arguments: Mapping[str, object]
    is_sure: bool
    """Whether it may run at once; else the person is asked first."""
    then: str = ""
    """Text of what is asked for after it, which is read when this is done."""
