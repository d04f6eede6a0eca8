"""Files named in messages: XEP-0066, 0385 and 0447 in all forms that clients are known to send.

``read`` turns one ``<message/>`` into a value, ``AttachmentJoiner`` puts together what came in several
messages, and ``outgoing`` writes the one message that every client shows as a file.
"""

from filebot.protocol.file_sharing.attachments import AttachmentJoiner, Unfinished
from filebot.protocol.file_sharing.read import MAX_ID, MAX_OFFERS, AnnouncedFile, Attached, Shared, read
from filebot.protocol.file_sharing.write import outgoing

__all__ = [
    "MAX_ID",
    "MAX_OFFERS",
    "AnnouncedFile",
    "Attached",
    "AttachmentJoiner",
    "Shared",
    "Unfinished",
    "outgoing",
    "read",
]
