"""Jingle file transfer on an XMPP stream: what ``protocol/jingle`` decides is done here.

``table`` brings each iq to its session, ``driver`` runs one; ``door`` and ``incoming`` are for what others
begin, ``outgoing`` for what the bot does.
"""
