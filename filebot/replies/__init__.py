"""Replies: templates rendered as plain text in the language of the reader.

``renderer`` finds and renders templates, ``filters`` puts numbers, dates and media types into words,
``languages`` has the catalogues and negotiates, ``overrides`` checks the operator's templates, and
``sender`` sends the texts.
"""

from filebot.replies.renderer import Replies

__all__ = ["Replies"]
