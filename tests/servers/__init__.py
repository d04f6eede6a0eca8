"""Servers that the tests run against, and the choice of one for a run."""

from tests.servers.choice import chosen, component_login, mode, private_server

__all__ = ["chosen", "component_login", "mode", "private_server"]
