"""XML namespaces of the file sharing extensions."""

from typing import Final

OOB: Final = "jabber:x:oob"  # XEP-0066
SFS: Final = "urn:xmpp:sfs:0"  # XEP-0447
ESFS: Final = "urn:xmpp:esfs:0"  # XEP-0448
METADATA: Final = "urn:xmpp:file:metadata:0"  # XEP-0446
URL_DATA: Final = "http://jabber.org/protocol/url-data"  # XEP-0103
REFERENCE: Final = "urn:xmpp:reference:0"  # XEP-0372
SIMS: Final = "urn:xmpp:sims:1"  # XEP-0385
JINGLE_FILE: Final = "urn:xmpp:jingle:apps:file-transfer:5"  # XEP-0234
JINGLE_FILES: Final = (
    JINGLE_FILE,
    "urn:xmpp:jingle:apps:file-transfer:4",
    "urn:xmpp:jingle:apps:file-transfer:3",
)
HASHES: Final = "urn:xmpp:hashes:2"  # XEP-0300
OLD_HASHES: Final = "urn:xmpp:hashes:1"
SCHEMA_ORG: Final = "https://schema.org/"
FALLBACK: Final = "urn:xmpp:fallback:0"  # XEP-0428
FEATURE_FALLBACK: Final = "urn:xmpp:feature-fallback:0"
"""Namespace in the example of XEP-0461, and in clients that followed it."""
ATTACH: Final = "urn:xmpp:message-attaching:1"  # XEP-0367
REPLY: Final = "urn:xmpp:reply:0"  # XEP-0461
FILEBOT: Final = "https://github.com/filebot-xmpp/filebot"
"""Our own: RFC 6120 section 8.4 lets whoever does not know an element ignore it, and archives keep it."""
HINTS: Final = "urn:xmpp:hints"  # XEP-0334
