"""Files of group rooms: settings and auto-archive."""
