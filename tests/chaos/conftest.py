"""Skips all of it where a program is missing."""

from collections.abc import AsyncIterator

import pytest

from tests.phone.calling import Signer
from tests.postgres import cluster
from tests.sip_peers.programs import program


@pytest.fixture(autouse=True)
def _programs() -> None:
    if cluster.installed() is None:
        pytest.skip(cluster.MISSING)
    if program("haproxy") is None:
        pytest.skip("haproxy is not installed (Debian: haproxy)")


@pytest.fixture
async def signer() -> AsyncIterator[Signer]:
    """The phone's identity, and its host."""
    one = Signer()
    await one.start()
    yield one
    await one.stop()
