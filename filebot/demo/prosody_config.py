"""The configuration of the private Prosody, as text. Stock settings, but for what loopback needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "localhost"
CONFERENCE: Final = f"conference.{HOST}"
UPLOAD: Final = f"upload.{HOST}"
PROXY: Final = f"proxy.{HOST}"
ADDRESS: Final = "127.0.0.1"

_GLOBAL: Final = """\
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ {log_level} = "{folder}/prosody.log" }}
interfaces = {{ {listening} }}
local_interfaces = {{ {listening} }}
c2s_ports = {{ {ports.c2s} }}
component_ports = {{ {ports.component} }}
http_ports = {{ }}
https_ports = {{ {ports.https} }}
proxy65_ports = {{ {ports.proxy} }}
http_default_host = "{host}"
ssl = {{ certificate = "{certificate}", key = "{key}" }}
https_ssl = {{ certificate = "{certificate}", key = "{key}" }}
authentication = "internal_plain"
storage = "internal"
modules_enabled = {{
    "roster", "saslauth", "tls", "disco", "carbons", "pep", "private", "blocklist", "vcard4",
    "vcard_legacy", "version", "uptime", "time", "ping", "register", "mam", "smacks", "csi_simple",
    "bookmarks"{more_modules}
}}
modules_disabled = {{ "s2s" }}
VirtualHost "{host}"
Component "{conference}" "muc"
    modules_enabled = {{ "muc_mam" }}
    -- Otherwise a new room waits for its owner to configure it.
    muc_room_locking = false
"""

_PROXY: Final = """\
Component "{proxy}" "proxy65"
    proxy65_address = "{place.proxy_address}"
    -- Components are strangers to the proxy unless named; once any is, all must be.
    proxy65_acl = {{ "{host}", {components} }}
"""

_UPLOAD: Final = """\
Component "{upload}" "http_file_share"
    http_host = "{host}"
    http_external_url = "https://{host}:{ports.https}/"
    http_file_share_size_limit = {limit}
    http_file_share_daily_quota = {limit} * 1000
    -- Components are strangers to the upload service unless named; once any is, all must be.
    http_file_share_access = {{ "{host}", {components} }}
"""

_COMPONENT: Final = """\
Component "{domain}"
    component_secret = "{secret}"
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server runs: on this machine's loopback, or in a network of its own."""

    launcher: tuple[str, ...] = ()
    """What goes before its command line, to start it elsewhere."""
    addresses: tuple[str, ...] = (ADDRESS,)
    """On all of which it listens."""
    proxy_address: str | None = ADDRESS
    """Where it says that its SOCKS5 proxy is (XEP-0065); it has none if None."""
    c2s_port: int | None = None
    """Of clients; any free one if None."""


LOOPBACK: Final = Place()


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on the loopback address."""

    c2s: int
    component: int
    https: int
    proxy: int


def prosody_config(
    folder: Path,
    place: Place,
    ports: Ports,
    *,
    certificate: Path,
    key: Path,
    upload_limit_bytes: int | None,
    logs_stanzas: bool,
    components: Mapping[str, str],
    log_level: str,
) -> str:
    """The text of ``prosody.cfg.lua``. ``components`` has the secret of each domain."""
    values = {
        "folder": folder,
        "place": place,
        "ports": ports,
        "certificate": certificate,
        "key": key,
        "listening": _quoted(place.addresses),
        "host": HOST,
        "conference": CONFERENCE,
        "proxy": PROXY,
        "upload": UPLOAD,
        "log_level": log_level,
        "limit": upload_limit_bytes,
        "more_modules": ', "stanza_debug"' if logs_stanzas else "",
        "components": _quoted(components),
    }
    parts = [_GLOBAL.format_map(values)]
    if place.proxy_address is not None:
        parts.append(_PROXY.format_map(values))
    if upload_limit_bytes is not None:
        parts.append(_UPLOAD.format_map(values))
    parts += [_COMPONENT.format(domain=domain, secret=secret) for domain, secret in components.items()]
    return "".join(parts)


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def roster_file(friends: Iterable[str]) -> str:
    """A roster of bare JIDs, all subscribed in both directions, as ``internal`` storage keeps it."""
    items = [f'["{jid}"] = {{ ["subscription"] = "both"; ["groups"] = {{}}; }};' for jid in friends]
    return f'return {{ [false] = {{ ["version"] = 1; ["pending"] = {{}}; }}; {" ".join(items)} }};\n'


def account_file(password: str) -> str:
    """An account as Prosody's ``internal`` storage keeps it."""
    return f'return {{ ["password"] = "{password}"; }};\n'
