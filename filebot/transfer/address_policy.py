"""Where the bot may connect to when somebody else names the place.

URLs come from chat messages and from other servers' redirects: without a rule the bot would fetch from
its own network on a stranger's behalf (XEP-0363 section 9). The URL is read by the same parser that the
HTTP client uses, so that both see the same host. Names are judged by their addresses, in ``resolver``.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final

from yarl import URL

from filebot.errors import ForbiddenTarget

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_INVISIBLE: Final = re.compile(r"[\x00-\x20\x7f]")
# RFC 6052: an IPv4 address in the last 32 bits, reached through a translator.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# All of IPv6's public addresses are in here (RFC 4291 section 2.4, IANA's registry) ...
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
# ... and these are not among them, though older Pythons do not know it (RFC 9637).
_DOCUMENTATION: Final = ipaddress.IPv6Network("3fff::/20")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The operator's choice; both are for servers in one's own network."""

    allow_insecure: bool = False
    """Plain http, too."""
    allow_private: bool = False
    """Loopback, private and reserved addresses, too."""

    def check(self, url: str) -> URL:
        """The parsed URL. Raises ForbiddenTarget; a host name is not looked up here."""
        parsed = _parsed(url)
        if parsed.scheme not in {"http", "https"}:
            raise ForbiddenTarget(reason="scheme")
        if parsed.scheme == "http" and not self.allow_insecure:
            raise ForbiddenTarget(reason="insecure")
        # Credentials in a URL serve to disguise its host, or to have the bot log in somewhere.
        if not parsed.raw_host or "@" in parsed.raw_authority:
            raise ForbiddenTarget(reason="malformed")
        self._check_host(parsed.raw_host)
        return parsed

    def allows(self, address: str) -> bool:
        """Whether the bot may connect to this IP address, as text."""
        return self.allow_private or is_public(ipaddress.ip_address(address))

    def is_public_literal(self, host: str) -> bool:
        """Whether a host is an IP address that everybody may connect to; a name is none."""
        literal = _literal(host)
        return literal is not None and is_public(literal)

    def _check_host(self, host: str) -> None:
        literal = _literal(host)
        if literal is None:
            if "%" in host or not _is_name(host):
                raise ForbiddenTarget(reason="malformed")
            return
        if not self.allows(str(literal)):
            raise ForbiddenTarget(reason="private")
        if literal.version == 4 and host != str(literal):
            # 0x7f.1 and the like: valid for some libraries and used only to get around checks.
            raise ForbiddenTarget(reason="malformed")


def is_public(address: _Address) -> bool:
    """Whether everybody on the Internet reaches the same host by this address.

    An IPv6 address that carries an IPv4 one is judged by that (mapped, NAT64, 6to4).
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address.scope_id is not None:
        return False
    carried = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        carried = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if carried is not None:
        return is_public(carried)
    return address in _UNICAST and address.is_global and address not in _DOCUMENTATION


def _parsed(url: str) -> URL:
    # The parser would drop line feeds and tabs, and what is left might be another host.
    if _INVISIBLE.search(url):
        raise ForbiddenTarget(reason="malformed")
    try:
        # Not quoted anew, which breaks signed URLs. Only non-ASCII needs quoting (RFC 3987).
        parsed = URL(url, encoded=url.isascii())
        _ = parsed.port  # parsed late, and may raise
    except ValueError as error:
        raise ForbiddenTarget(reason="malformed") from error
    return parsed


def _is_name(host: str) -> bool:
    """Whether the name can be looked up: Python's resolver raises no OSError for ``a..example``."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return bool(host.rstrip("."))


def _literal(host: str) -> _Address | None:
    """The address that a host part is, in any form that some library takes for one."""
    bare = host.rstrip(".")
    try:
        return ipaddress.ip_address(bare.replace("%25", "%", 1))  # RFC 6874 zone
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except (OSError, ValueError):
        return None
