"""The rim towards XMPP and the only importer of slixmpp: stanzas become values here, and values stanzas."""
