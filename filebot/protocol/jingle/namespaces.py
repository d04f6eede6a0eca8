"""XML namespaces of Jingle."""

from typing import Final

JINGLE: Final = "urn:xmpp:jingle:1"  # XEP-0166
ERRORS: Final = "urn:xmpp:jingle:errors:1"
SOCKS5: Final = "urn:xmpp:jingle:transports:s5b:1"  # XEP-0260
IN_BAND: Final = "urn:xmpp:jingle:transports:ibb:1"  # XEP-0261
FILES: Final = "urn:xmpp:jingle:apps:file-transfer:5"  # XEP-0234
OLD_FILES: Final = "urn:xmpp:jingle:apps:file-transfer:4"
"""COMPAT(Swift): knows only this one. The elements that filebot uses are the same in both."""
