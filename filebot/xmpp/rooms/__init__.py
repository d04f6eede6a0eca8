"""Group rooms (XEP-0045): being in them, and who else is."""
