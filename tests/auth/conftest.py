from collections.abc import AsyncIterator

import pytest

from tests.fakes.identity import Identity


@pytest.fixture
async def identity() -> AsyncIterator[Identity]:
    one = Identity()
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def second() -> AsyncIterator[Identity]:
    """Another metadata document of the same issuer, with keys of its own."""
    one = Identity()
    await one.start()
    yield one
    await one.stop()
