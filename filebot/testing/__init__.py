"""Fakes of the ports, for the tests of plugins and of filebot itself."""
