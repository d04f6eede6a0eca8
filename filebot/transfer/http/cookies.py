"""Cookies of redirects (RFC 6265): a server that sets one, and sends the client on, wants to see it again.

They live as long as one request with its redirects, and go to the very host that set them: nobody is known
again by them.
"""

from collections.abc import Iterable
from http.cookies import Morsel
from typing import Final

from yarl import URL

MOST_COOKIES: Final = 20
MOST_BYTES: Final = 4_096
"""Characters of all that go to a host at a time."""


class RedirectCookies:
    """Cookies that the redirects of one request have set."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str], Morsel[str]] = {}

    def add(self, url: URL, cookies: Iterable[Morsel[str]]) -> None:
        """Take the cookies of an answer from there, as long as there is room for them."""
        for each in cookies:
            key = url.raw_host or "", each.key
            self._cookies.pop(key, None)
            if each.value and each["max-age"] != "0" and len(self._cookies) < MOST_COOKIES:
                self._cookies[key] = each

    def header(self, url: URL) -> str:
        """Return what the Cookie header of a request has to say; empty for nothing."""
        sent = ""
        for (host, _), cookie in self._cookies.items():
            if host != url.raw_host or not _fits(cookie, url):
                continue
            more = f"{'; ' if sent else ''}{cookie.key}={cookie.coded_value}"
            if len(sent) + len(more) <= MOST_BYTES:
                sent += more
        return sent


def _fits(cookie: Morsel[str], url: URL) -> bool:
    """Whether a request to this path and scheme may have the cookie (RFC 6265 section 5.1.4)."""
    path = cookie["path"]
    if cookie["secure"] and url.scheme != "https":
        return False
    if not path.startswith("/") or url.raw_path == path:
        return True
    return url.raw_path.startswith(path if path.endswith("/") else path + "/")
