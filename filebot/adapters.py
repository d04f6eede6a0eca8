"""Settings and network adapters, made from the configuration."""

import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from filebot.backends.bounded import BoundedInspector, ScannerCheck
from filebot.backends.loading import Backends
from filebot.backends.sources import load_sources
from filebot.chat.rate_limits import RateLimits
from filebot.config import Config
from filebot.config.types import OWN_AVATAR
from filebot.errors import ConfigError
from filebot.files.access import AccessRules
from filebot.files.quota import StorageLimits
from filebot.ports import Inspector, SourceServices, UrlSource
from filebot.protocol.profile import Profile, read_picture
from filebot.system.descriptors import MOST_SLOTS, Budget, budget, raise_limit
from filebot.transfer.address_policy import AddressPolicy
from filebot.transfer.http.client import HttpClient
from filebot.transfer.http.resolver import NameLookup
from filebot.transfer.socks5.connections import Socks5Connections, dials
from filebot.transfer.socks5.listener import Listener
from filebot.transfer.sources import Connector, SourcesByScheme
from filebot.xmpp.session import SessionSettings

AVATAR: Final = Path(__file__).parent / "xmpp" / "profile" / "avatar.png"
"""The picture that comes with filebot; ``scripts/avatar.py`` draws it."""

log = logging.getLogger(__name__)


def storage_limits(config: Config) -> StorageLimits:
    """Return how much the config lets people store."""
    limits = config.limits
    return StorageLimits(limits.max_file_size, limits.quota_per_user, limits.total, limits.quota_per_room)


def rate_limits(config: Config) -> RateLimits:
    """Return how much the config lets people ask for."""
    return RateLimits(config.limits.files_per_message, config.limits.commands_per_minute)


def access_rules(config: Config) -> AccessRules:
    """Return whom the config lets the bot serve."""
    access = config.access
    return AccessRules(access.admins, access.allow, access.deny, config.rooms.invitations)


def session_settings(config: Config) -> SessionSettings:
    """Return the config's settings of account, server and rooms."""
    xmpp = config.xmpp
    return SessionSettings(
        jid=xmpp.jid,
        password=xmpp.password.get_secret_value(),
        mode=xmpp.mode,
        host=xmpp.host,
        port=xmpp.port,
        ca_file=xmpp.ca_file,
        nick=xmpp.nick,
        profile=profile(config),
        rooms=config.rooms.join,
        command_prefix=config.rooms.command_prefix,
    )


def profile(config: Config) -> Profile:
    """Return what others see of the bot. Raises ConfigError if its picture cannot be read any more."""
    bot = config.bot
    name, is_own = bot.name or config.xmpp.nick, bot.avatar == OWN_AVATAR
    if not bot.avatar:
        return Profile(name, bot.description)
    path = AVATAR if is_own else Path(bot.avatar)
    try:
        picture = read_picture(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError((f"bot.avatar: {path} {error}",)) from error
    return Profile(name, bot.description, picture, replaces_picture=not is_own)


def address_policy(config: Config) -> AddressPolicy:
    """Return where the bot may connect to for somebody else's sake."""
    return AddressPolicy(config.network.allow_insecure, config.network.allow_private)


def http_client(config: Config, names: NameLookup | None = None) -> HttpClient:
    """Return a client under the config's address policy, which trusts the session's certificates."""
    return HttpClient(
        address_policy(config),
        ca_file=config.xmpp.ca_file,
        idle_s=config.limits.idle_timeout,
        names=names,
    )


def url_sources(config: Config, http: HttpClient, names: NameLookup) -> UrlSource:
    """Return the sources of files behind URLs, those of installed packages included."""
    idle_s = config.limits.idle_timeout
    connect = Connector(address_policy(config), names, idle_s)
    found = load_sources(SourceServices(connect, http, idle_s))
    foreign = {scheme: source for scheme, source in found.items() if source is not http}
    return SourcesByScheme(http, foreign, idle_s) if foreign else http


async def file_inspector(backends: Backends, config: Config, stack: AsyncExitStack) -> Inspector:
    """Open the inspector, which is closed with ``stack``. Raises as :meth:`Backend.opened`."""
    found = backends.inspector
    opened = await stack.enter_async_context(found.opened(config.data_dir, config.limits.idle_timeout))
    return opened if found.is_own else BoundedInspector(found.scheme, opened)


async def file_scanners(backends: Backends, config: Config, stack: AsyncExitStack) -> list[ScannerCheck]:
    """Open the scanners, which are closed with ``stack``. Raises as :meth:`Backend.opened`."""
    return [
        ScannerCheck(
            each.scheme,
            await stack.enter_async_context(each.opened(config.data_dir, config.limits.idle_timeout)),
        )
        for each in backends.scanners
    ]


def descriptor_budget() -> Budget:
    """Return how many files and connections the file descriptors of this process are enough for."""
    limit = raise_limit()
    share = budget(limit)
    level = logging.WARNING if share.slots < MOST_SLOTS else logging.INFO
    log.log(level, "%d file descriptors: %d files at once in each direction", limit, share.slots)
    return share


async def byte_connections(
    config: Config, stack: AsyncExitStack, share: Budget, names: NameLookup
) -> Socks5Connections:
    """Return SOCKS5 connections to others, and from others if the config says where they reach the bot.

    The listener is closed with ``stack``. Raises ConfigError if it cannot listen.
    """
    streams, listener = config.bytestreams, None
    if streams.addresses:
        try:
            listener = await stack.enter_async_context(
                Listener(streams.bind, streams.port, share.handshakes)
            )
        except OSError as error:
            place = f"{streams.bind} port {streams.port}"
            raise ConfigError((f"bytestreams: cannot listen at {place}: {error.strerror}",)) from error
    return Socks5Connections(
        address_policy(config),
        config.limits.idle_timeout,
        listener,
        streams.addresses,
        names,
        dials(share.dials),
    )
