"""Errors of checks: something is not done because somebody wants it so, or fails."""

from filebot.errors.base import FilebotError, UserError


class Refusal(UserError):
    """A check refuses, in words of its plugin."""

    def __init__(self, template: str, **values: object) -> None:
        """``template`` is named as in replies (``plugin/template``); it finds the values in
        ``error.values``.
        """
        super().__init__(template)
        self.template = template  # type: ignore[misc]  # each has its own
        self.values = values


class CheckFailed(FilebotError):
    """A check raised an error or took too long, so what it was asked about is not done."""

    def __init__(self, *, author: str) -> None:
        """``author`` is whoever made the check, such as "plugin tags"."""
        super().__init__(author)
        self.author = author


class HarmfulFile(UserError):
    """A scanner found something in a received file; ``found`` is the scanner's name for it."""

    def __init__(self, *, found: str) -> None:
        super().__init__(found)
        self.found = found
