"""Files of group rooms: settings, and files that nobody asked for."""
