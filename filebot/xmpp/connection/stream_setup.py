"""Builds the stream of an account or a component, with slixmpp's plugins and what the bot announces."""

from collections.abc import Iterable

from slixmpp.jid import JID, InvalidJID

from filebot import __version__
from filebot.errors import ConfigError
from filebot.system.certificates import Trust
from filebot.xmpp.connection.authentication import check_password
from filebot.xmpp.connection.disco_features import CAPS_NODE, FEATURES, Answers
from filebot.xmpp.connection.settings import SessionSettings
from filebot.xmpp.connection.stream import ClientStream, ComponentStream, Stream
from filebot.xmpp.presence.roster import take_pushes


def build(settings: SessionSettings, features: Iterable[str] = FEATURES) -> Stream:
    """Return the stream for these settings, not yet connected. Needs a running loop.

    Raises ConfigError if address or password are none, or the certificates to trust cannot be read.
    """
    # Before there is a stream: one that is only half made cannot be taken down without noise.
    jid = _own_address(settings)
    stream: Stream
    if settings.mode == "component":
        stream = ComponentStream(settings, jid)
    else:
        check_password(settings.password)
        stream = ClientStream(settings, jid, Trust(settings.ca_file))
        take_pushes(stream)
    _load_plugins(stream, settings.name, frozenset(features))
    # These four are answered by filebot itself. slixmpp's own handlers keep an entry for everybody who ever
    # sent a presence, see only messages with a body, and follow see-other-host to a host named in clear.
    for name in ("IM", "IMError", "Presence", "Stream Error"):
        stream.remove_handler(name)
    return stream


async def tell_features(stream: Stream, name: str, features: Iterable[str]) -> None:
    """From now on this is what the bot has, for all who ask and, by its hash, in presences (XEP-0115)."""
    stream.plugin["xep_0030"].set_node_handler("get_info", handler=Answers(name, frozenset(features)).info)
    caps = stream.plugin["xep_0115"]
    await caps.update_caps(broadcast=False)
    hashed = caps.static.jid_vers.get(stream.boundjid.full)
    # Whichever of a component's addresses a presence comes from; slixmpp knows the main one.
    caps.api.register(lambda *_: hashed, "get_verstring", default=True)


def _own_address(settings: SessionSettings) -> JID:
    try:
        return JID(settings.jid)
    except InvalidJID as error:
        text = f"xmpp.jid: {settings.jid!r} is not an address ({error}); write it like bot@example.org"
        raise ConfigError((text,)) from None


def _load_plugins(stream: Stream, name: str, features: frozenset[str]) -> None:
    # Everybody may send disco results unasked: keep none of them.
    stream.register_plugin("xep_0030", {"use_cache": False})
    stream.register_plugin("xep_0092", {"name": "filebot", "version": __version__, "os": ""})
    stream.register_plugin("xep_0115", {"caps_node": CAPS_NODE})
    stream.register_plugin("xep_0198")
    if not stream.is_component:
        stream.register_plugin("feature_limits")
    stream.register_plugin("xep_0199")
    stream.plugin["xep_0030"].set_node_handler("get_info", handler=Answers(name, features).info)
    # slixmpp asks every unknown client for its features and keeps the answers for ever.
    stream.remove_handler("Entity Capabilities")
