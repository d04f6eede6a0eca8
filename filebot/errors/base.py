"""Roots of all deliberate errors, by who can mend them."""

from typing import ClassVar


class FilebotError(Exception):
    """Root of all errors that filebot raises on purpose."""

    template: ClassVar[str] = ""
    """Template with the words for this class (``tags/too_many``). If empty it is found by the name of the
    class, ``errors/too_many``."""

    @property
    def kind(self) -> str:
        """Name of the class: for templates that name several causes, and for the log."""
        return type(self).__name__


class UserError(FilebotError):
    """The request cannot be served as it stands; the reply says what to do instead."""


class TransferError(FilebotError):
    """Moving bytes failed for a reason outside of filebot."""


class StorageError(FilebotError):
    """The bot's own storage failed."""


class LocalProtocolError(FilebotError):
    """filebot itself used a protocol machine wrongly: a bug."""
