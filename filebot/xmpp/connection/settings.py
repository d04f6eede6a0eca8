"""Settings of a session: its account, its server and its rooms."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from filebot.protocol.profile import Profile


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """One account (RFC 6120) or one external component (XEP-0114) on a server."""

    jid: str
    """The bot's address: an account, or the component's domain (``bot@component.domain`` works as well)."""
    password: str = field(repr=False)
    """The account's password or the component's secret."""
    mode: Literal["client", "component"] = "client"
    host: str | None = None
    """Where to connect; None looks the server up by SRV records (RFC 6120 section 3.2.1). A component has
    no such records and needs both host and port."""
    port: int | None = None
    direct_tls: bool = False
    """Whether ``host``:``port`` speaks TLS from the first byte (XEP-0368); otherwise STARTTLS is required.
    Without a host the SRV records say so themselves."""
    ca_file: Path | None = None
    """Certificates to trust beside those of the system."""
    nick: str = "filebot"
    """The name in rooms and, for a component, as its resource."""
    profile: Profile = field(default_factory=Profile)
    """Name, description and picture that others see; without a name it is the nick."""
    rooms: tuple[str, ...] = ()
    """Bare JIDs of the rooms to be in."""
    command_prefix: str = "!"
    """Beginning of a command in a room; empty if only the nick addresses the bot there."""
    status: str = "Send me a file, or type: help"
    """The text of the bot's presence for contacts; rooms see :func:`status_in_rooms`."""
    passive: bool = False
    """Whether the session only looks: it has no presence and no roster, so that nothing that is meant for
    another session of the account comes to it, and it answers nobody's presence."""
    goodbye: str = "Back soon."
    """Text for rooms and contacts when the bot goes."""

    @property
    def name(self) -> str:
        """The name by which others see the bot outside of rooms."""
        return self.profile.name or self.nick


def status_in_rooms(command_prefix: str, nick: str) -> str:
    """Return the text of the bot's presence in rooms: with words that it answers there."""
    return f"To begin, type: {command_prefix}help" if command_prefix else f"To begin, type: {nick}: help"
