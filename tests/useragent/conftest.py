"""What tests of sockets share."""

import pytest

from ivr.useragent.configuration import TlsFiles
from tests.useragent.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="session")
def ours(authority: Authority) -> TlsFiles:
    return authority.issue("127.0.0.1", "::1", "localhost")
