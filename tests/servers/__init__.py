"""The servers that the tests run against, and which one it is this time."""

from tests.servers.choice import chosen, component_login, mode, private_server

__all__ = ["chosen", "component_login", "mode", "private_server"]
