"""One server of S3 for the tests of a process."""

from collections.abc import Iterator

import pytest

from tests.support.s3 import S3Server, running_s3


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server
