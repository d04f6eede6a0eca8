"""Files of group rooms: settings, auto-archive, retention and claims."""
