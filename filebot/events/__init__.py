"""Facts that services report, and the bus that carries them."""
