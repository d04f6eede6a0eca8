"""Contract suites of backends, for the tests of those who write one."""
