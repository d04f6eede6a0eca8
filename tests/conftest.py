"""Settings of pytest and hypothesis for all tests."""

import os

from hypothesis import settings

# What decides whether a change goes in has to come out the same twice; everywhere else new examples are
# tried each time.
settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")
