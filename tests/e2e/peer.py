"""Until everybody imports it from there."""

from filebot.demo.peer import Peer, Received, anything

__all__ = ["Peer", "Received", "anything"]
