"""Private servers and clients on loopback, for the demo and the tests."""
