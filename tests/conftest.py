"""For all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# What decides whether a change goes in has to come out the same twice; everywhere else new examples are
# tried each time.
settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")

WITH_SERVERS = tuple(Path(__file__).parent / name for name in ("e2e", "interop", "servers"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a test with foreign servers and clients once more if it fails; the run tells which ones were.

    They are processes of their own, with limits of their own, and are slow on a machine that is busy. All
    other tests have one try.
    """
    for item in items:
        if any(folder in item.path.parents for folder in WITH_SERVERS):
            item.add_marker(pytest.mark.flaky(reruns=1))
