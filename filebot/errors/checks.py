"""Errors of checks: something is not done because a plugin wants it so, or fails."""

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

    def __init__(self, *, plugin: str) -> None:
        super().__init__(plugin)
        self.plugin = plugin
