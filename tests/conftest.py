"""Settings of pytest and hypothesis for all tests."""

import os

from hypothesis import settings

# CI decides whether a change goes in, so it must give the same verdict twice; everywhere else new examples
# are tried each time.
settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")
