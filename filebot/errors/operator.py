"""Errors that only the operator can mend, told at start."""

from filebot.errors.base import FilebotError


class ConfigError(FilebotError):
    """The configuration has mistakes; ``mistakes`` has a line for each, with its remedy."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class BackendUnavailable(FilebotError):
    """A backend that the config names cannot be opened just now; another try may help."""


class PluginError(FilebotError):
    """A mistake of a plugin: it cannot be loaded, or a function of it fails."""


class ReloadRefused(FilebotError):
    """Config or plugins have mistakes, so that all stays as it was; ``mistakes`` has a line for each."""

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class LoginFailed(FilebotError):
    """The server refuses the login; another try with the same account is useless."""

    def __init__(self, condition: str) -> None:
        """``condition`` is the server's word for it (RFC 6120 section 6.5)."""
        super().__init__(
            f"The server refuses the account or its password ({condition}); look at xmpp.jid and password"
        )
