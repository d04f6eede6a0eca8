"""File metadata in ``<file/>``: XEP-0446, and XEP-0234 section "Application Format".

Both namespaces have the same children. Whatever does not fit its bounds counts as not said.
"""

import base64
import binascii
from typing import Final
from xml.etree.ElementTree import Element

from filebot.model import Offer
from filebot.protocol.file_sharing.namespaces import HASHES, OLD_HASHES
from filebot.protocol.hashes import KNOWN
from filebot.protocol.xml import bounded_int, local_name, namespace_of

MAX_SIZE_BYTES: Final = 2**63 - 1
MAX_PIXELS: Final = 2**31 - 1
MAX_NAME: Final = 16_384
"""Characters: ``filenames`` cuts a long name with more care, the extension kept."""
MAX_DESCRIPTION: Final = 1024
MAX_MEDIA_TYPE: Final = 255

_DIGEST_BYTES: Final = {name: len(make().digest()) for name, make in KNOWN.items()}
_HASH_NAMESPACES: Final = frozenset({HASHES, OLD_HASHES})

# COMPAT(Dino): writes <media_type> beside <media-type>. COMPAT(Conversations): writes <mediaType>.
_MEDIA_TYPE: Final = ("media-type", "media_type", "mediaType")


def read_metadata(file: Element | None) -> Offer:
    """An offer without URLs; an empty one if there is no ``<file/>``."""
    if file is None:
        return Offer()
    texts: dict[str, str] = {}
    for child in file:
        texts.setdefault(local_name(child), (child.text or "").strip())
    media_types = (texts.get(name) for name in _MEDIA_TYPE)
    return Offer(
        name=texts.get("name", "")[:MAX_NAME] or None,
        size=bounded_int(texts.get("size"), MAX_SIZE_BYTES),
        media_type=next((kind for kind in media_types if kind and len(kind) <= MAX_MEDIA_TYPE), None),
        hashes=read_hashes(file),
        description=texts.get("desc", "")[:MAX_DESCRIPTION],
        width=bounded_int(texts.get("width"), MAX_PIXELS) or None,
        height=bounded_int(texts.get("height"), MAX_PIXELS) or None,
    )


def read_hashes(parent: Element) -> dict[str, bytes]:
    """The ``<hash/>`` children (XEP-0300) that can be checked; of one algorithm the first."""
    digests: dict[str, bytes] = {}
    for child in parent:
        if local_name(child) != "hash" or namespace_of(child) not in _HASH_NAMESPACES:
            continue
        algorithm = child.get("algo", "").strip().lower()
        digest = _decoded(child.text or "")
        if algorithm in KNOWN and len(digest) == _DIGEST_BYTES[algorithm]:
            digests.setdefault(algorithm, digest)
    return digests


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
