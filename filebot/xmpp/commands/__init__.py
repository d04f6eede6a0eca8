"""Ad-hoc commands (XEP-0050): the requests of clients, and what they are told."""
