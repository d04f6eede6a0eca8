"""Jingle file transfer on an XMPP stream: what ``protocol/jingle`` decides is done here.

``registry`` brings each iq to its session, ``driver`` runs one; ``initiate`` and ``incoming`` are for
sessions that others begin, ``outgoing`` for those of the bot.
"""
