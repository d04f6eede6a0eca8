"""What the bot says: templates in, plain text in the person's language out.

``engine`` finds and renders templates, ``phrases`` puts numbers, dates and media types into words, and
``languages`` knows the catalogues and which language somebody means.
"""

from filebot.replies.renderer import Replies

__all__ = ["Replies"]
