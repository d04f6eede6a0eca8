"""One attempt to log in for each connection (RFC 6120 section 6).

After a failure slixmpp goes on with the next mechanism on the same connection, and each of them fails with
the same wrong password. A server that counts failures (ejabberd's ``mod_fail2ban``: 20 by default) soon
bans the bot's address, with everybody else behind it.
"""

from collections.abc import Callable
from typing import Any, Final

from slixmpp import ClientXMPP
from slixmpp.features.feature_mechanisms.stanza import Failure
from slixmpp.util.sasl.client import saslprep
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from filebot.concurrency.backoff import Backoff
from filebot.errors import ConfigError

REFUSED: Final = frozenset(
    {"not-authorized", "account-disabled", "credentials-expired", "invalid-authzid", "invalid-mechanism"}
)
"""RFC 6120 sections 6.5 and 4.9.3.12: the account is wrong, and stays wrong however often it is tried."""

_OF_THE_MECHANISM: Final = frozenset({"invalid-mechanism", "mechanism-too-weak", "encryption-required"})
"""Only these speak of the mechanism and not of the account: another one may do."""

_FIRST_WAIT_S: Final = 300.0
LONGEST_REFUSED_WAIT_S: Final = 75 * 60.0
"""ejabberd forgets failures an hour after the last one, and looks every ten minutes: with a shorter wait
they would add up to a ban in the end."""


def check_password(password: str) -> None:
    """Raise ConfigError for one that no account can have (RFC 4013); slixmpp would fail at each login."""
    try:
        saslprep(password)
    except UnicodeError:
        text = "xmpp.password: has characters that no XMPP password can have; write it anew, or change it"
        raise ConfigError((text,)) from None


def refused_backoff() -> Backoff:
    """Return the waits between refused logins. Chance makes them longer, never shorter."""
    return Backoff(_FIRST_WAIT_S, LONGEST_REFUSED_WAIT_S, jitter=(1.0, 1.1))


def try_once(client: ClientXMPP, refused: Callable[[str], None]) -> None:
    """End a connection whose login fails, and call ``refused`` with the server's condition."""
    mechanisms: Any = client.plugin["feature_mechanisms"]  # untyped in slixmpp

    def failed(stanza: StanzaBase) -> None:
        condition = str(stanza["condition"])
        refused(condition)
        if condition in _OF_THE_MECHANISM:
            mechanisms.attempted_mechs.add(mechanisms.mech.name)
            mechanisms._send_auth()  # noqa: SLF001  # what slixmpp does after each failure
        else:
            mechanisms.attempted_mechs = set()
            client.disconnect()

    client.remove_handler("SASL Failure")
    client.register_handler(Callback("SASL Failure", MatchXPath(Failure.tag_name()), failed, instream=True))
