"""Files of group rooms: settings, auto-archive and claims."""
