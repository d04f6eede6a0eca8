"""Description of filebot for others: disco#info (XEP-0030), caps (XEP-0115) and its version (XEP-0092).

The list is kept here by hand and holds exactly what works, because slixmpp's plugins add features as they
load, and clients act on each: an announced transport that does not work is a file that does not arrive.
"""

from typing import Final

from slixmpp.jid import JID
from slixmpp.plugins.xep_0030.stanza.info import DiscoInfo

from filebot.protocol.adhoc import COMMANDS
from filebot.protocol.data_form import DATA_FORM
from filebot.protocol.hashes import KNOWN
from filebot.protocol.ibb import IBB
from filebot.protocol.jingle.features import OWN_IN_BAND, OWN_SOCKS5
from filebot.protocol.stream_initiation import BYTESTREAMS, FILE_TRANSFER, SI

CAPS: Final = "http://jabber.org/protocol/caps"
CAPS_NODE: Final = "https://github.com/filebot-xmpp/filebot"

# XEP-0300: md5 MUST NOT be used; filebot only checks it where a sender leaves no choice.
_HASHES: Final = tuple(name for name in KNOWN if name != "md5")

FEATURES: Final = frozenset(
    {
        "http://jabber.org/protocol/caps",
        "http://jabber.org/protocol/chatstates",
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/muc",
        "jabber:iq:version",
        "jabber:x:conference",
        "jabber:x:oob",
        "urn:xmpp:fallback:0",
        "urn:xmpp:hashes:2",
        "urn:xmpp:message-correct:0",
        "urn:xmpp:message-moderate:0",
        "urn:xmpp:message-moderate:1",
        "urn:xmpp:message-retract:0",
        "urn:xmpp:message-retract:1",
        "urn:xmpp:ping",
        "urn:xmpp:reactions:0",
        "urn:xmpp:receipts",
        "urn:xmpp:reply:0",
        "urn:xmpp:sfs:0",
        "urn:xmpp:sid:0",
        "urn:xmpp:sims:1",
        "vcard-temp",
        *(f"urn:xmpp:hash-function-text-names:{name}" for name in _HASHES),
    }
)


IN_BAND: Final = frozenset({SI, FILE_TRANSFER, IBB}) | OWN_IN_BAND
"""Only where somebody takes the files that are offered."""
SOCKS5: Final = frozenset({BYTESTREAMS})
"""Only where connections can be made, too."""
MET_BY_SOCKS5: Final = OWN_SOCKS5
"""Only where others can meet the bot, too."""
BY_FORMS: Final = frozenset({COMMANDS, DATA_FORM})
"""Only where there are commands to fill in."""


class Answers:
    """Answers every disco#info question about the bot, whichever of its addresses was asked."""

    def __init__(self, name: str, features: frozenset[str]) -> None:
        self._name = name
        self._features = sorted(features)

    def info(self, jid: JID, node: str | None, asker: JID | None, request: object) -> DiscoInfo:
        """The ``get_info`` operation of slixmpp's disco. The set is the same with and without a node,
        as the caps hash demands (XEP-0115 section 6.2).
        """
        info = DiscoInfo()
        # XEP-0030 registry: client/bot; Gajim marks bots by it.
        info.add_identity("client", "bot", name=self._name)
        for feature in self._features:
            info.add_feature(feature)
        return info
