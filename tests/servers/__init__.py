"""The servers that the tests run against, and which one it is this time."""

from tests.servers.choice import chosen, private_server

__all__ = ["chosen", "private_server"]
