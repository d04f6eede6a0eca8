"""Message archives (XEP-0313): reading them, and catching up with them."""
