"""The configuration of the private Prosody, as text. Stock settings, but for what loopback needs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from filebot.localserver.server import CONFERENCE, HOST, PROXY, UPLOAD, Place, Ports

_GLOBAL: Final = """\
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
log = {{ {log_level} = "{log_file}" }}
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
c2s_stanza_size_limit = {client_stanza_bytes}
authentication = "internal_plain"
storage = "internal"
-- Otherwise a crowded room keeps it busy with garbage for half of its time.
gc = {{ mode = "generational" }}
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
    {rooms_storage}
"""

# The stock storage reads the whole archive for each page of it.
_LONG_PAST: Final = 'storage = { muc_log = "memory" } storage_archive_item_limit = 1000000'

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
    http_file_share_daily_quota = {quota}
    -- Components are strangers to the upload service unless named; once any is, all must be.
    http_file_share_access = {{ "{host}", {components} }}
"""

_COMPONENT: Final = """\
Component "{domain}"
    component_secret = "{secret}"
"""


def prosody_config(
    folder: Path,
    place: Place,
    ports: Ports,
    *,
    certificate: Path,
    key: Path,
    log_file: Path,
    upload_limit_bytes: int | None,
    logs_stanzas: bool,
    components: Mapping[str, str],
    log_level: str,
    client_kb_per_s: int | None,
    client_stanza_bytes: int,
    upload_quota_bytes: int | None,
    long_past: bool,
    websockets: bool,
) -> str:
    """The text of ``prosody.cfg.lua``. ``components`` has the secret of each domain."""
    more_modules = ["stanza_debug"] if logs_stanzas else []
    if client_kb_per_s is not None:
        more_modules.append("limits")
    if websockets:
        more_modules.append("websocket")
    values = {
        "folder": folder,
        "place": place,
        "ports": ports,
        "certificate": certificate,
        "key": key,
        "log_file": log_file,
        "listening": _quoted(place.addresses),
        "host": HOST,
        "conference": CONFERENCE,
        "proxy": PROXY,
        "upload": UPLOAD,
        "log_level": log_level,
        "client_stanza_bytes": client_stanza_bytes,
        "limit": upload_limit_bytes,
        "quota": upload_quota_bytes or f"{upload_limit_bytes} * 1000",
        "more_modules": "".join(f', "{module}"' for module in more_modules),
        "components": _quoted(components),
        "rooms_storage": _LONG_PAST if long_past else "",
    }
    parts = [_GLOBAL.format_map(values)]
    if place.proxy_address is not None:
        parts.append(_PROXY.format_map(values))
    if client_kb_per_s is not None:
        # Before the hosts begin. In kB: mod_limits takes 1 b for ten.
        parts.insert(0, f'limits = {{ c2s = {{ rate = "{client_kb_per_s}kb/s" }} }}\n')
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
