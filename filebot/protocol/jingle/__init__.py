"""Jingle file transfer (XEP-0166, 0234, 0260, 0261) as machines without I/O.

``actions`` reads and writes the stanzas, ``session`` has the machine with its theory of operation,
``quirks`` what clients do differently. Nothing here knows of slixmpp, sockets or a clock.
"""
