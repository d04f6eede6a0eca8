"""Replies: templates rendered as plain text in the language of the reader.

``renderer`` renders templates and sends the texts, ``filters`` puts numbers, dates and media types into
words, and ``overrides`` checks the operator's templates.
"""

from filebot.replies.renderer import Replies

__all__ = ["Replies"]
