"""Configuration of the private ejabberd, written as JSON, which is valid YAML.

It follows the example that comes with ejabberd, except for settings for loopback, for limits that would
hinder tests, and for rights that the private Prosody grants, too: components may use the services, and all
rooms have an archive.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from filebot.localserver.server import CONFERENCE, HOST, PROXY, UPLOAD, WEBSOCKET_PATH, Place, Ports

_BURST_BYTES: Final = 20_000
_COMPONENT_STANZA_BYTES: Final = 524_288
_MOST_OCCUPANTS: Final = 1_000


def ejabberd_config(
    folder: Path,
    place: Place,
    ports: Ports,
    *,
    certificate: Path,
    key: Path,
    upload_limit_bytes: int | None,
    components: Mapping[str, str],
    component_ports: Mapping[str, int],
    client_kb_per_s: int | None,
    client_stanza_bytes: int,
    websockets: bool,
) -> str:
    """Return the text of ``ejabberd.yml``. ``components`` has the secret of each domain."""
    clients: dict[str, Any] = {
        "module": "ejabberd_c2s",
        "port": ports.c2s,
        "starttls_required": True,
        "max_stanza_size": client_stanza_bytes,
        "shaper": "none" if client_kb_per_s is None else "clients",
    }
    services: list[dict[str, Any]] = [
        {
            "module": "ejabberd_service",
            "port": component_ports[domain],
            "max_stanza_size": _COMPONENT_STANZA_BYTES,
            "hosts": {domain: {"password": secret}},
        }
        for domain, secret in components.items()
    ]
    web: dict[str, Any] = {
        "module": "ejabberd_http",
        "port": ports.https,
        "tls": True,
        "request_handlers": {"/upload": "mod_http_upload", WEBSOCKET_PATH: "ejabberd_http_ws"},
    }
    listeners = [clients, *services]
    if upload_limit_bytes is not None or websockets:
        listeners.append(web)
    modules = _modules()
    if upload_limit_bytes is not None:
        modules["mod_http_upload"] = {
            "host": UPLOAD,
            "docroot": str(folder / "upload"),
            "put_url": f"https://{HOST}:{ports.https}/upload",
            "max_size": upload_limit_bytes,
            "access": "all",
        }
    if place.proxy_address is not None:
        modules["mod_proxy65"] = {
            "host": PROXY,
            "ip": "0.0.0.0" if len(place.addresses) > 1 else place.addresses[0],
            "hostname": place.proxy_address,
            "port": ports.proxy,
            "access": "all",
            "max_connections": "infinity",
        }
    return json.dumps(
        {
            "hosts": [HOST],
            "loglevel": "info",
            "certfiles": [str(certificate), str(key)],
            "auth_method": "internal",
            "shaper": {"clients": {"rate": (client_kb_per_s or 1) * 1000, "burst_size": _BURST_BYTES}},
            "shaper_rules": {"clients": "clients"},
            "s2s_access": "none",
            "listen": [{**each, "ip": address} for each in listeners for address in place.addresses],
            "modules": modules,
        },
        indent=1,
    )


def _modules() -> dict[str, dict[str, Any]]:
    """Return the modules that are always there."""
    plain = (
        "mod_blocking", "mod_caps", "mod_carboncopy", "mod_disco", "mod_fail2ban", "mod_last",
        "mod_offline", "mod_ping", "mod_privacy", "mod_private", "mod_roster", "mod_stream_mgmt",
        "mod_time", "mod_vcard", "mod_version",
    )  # fmt: skip
    return {
        **{name: {} for name in plain},
        "mod_pubsub": {"plugins": ["flat", "pep"]},
        "mod_mam": {"default": "always"},
        "mod_muc": {
            "host": CONFERENCE,
            "max_users": _MOST_OCCUPANTS,
            "default_room_options": {"mam": True, "max_users": _MOST_OCCUPANTS},
        },
    }
