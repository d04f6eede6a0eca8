"""Files of group rooms: settings, unasked files, retention and claims."""
