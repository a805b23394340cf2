from collections.abc import AsyncIterator

import pytest

from tests.phone.calling import Signer


@pytest.fixture
async def signer() -> AsyncIterator[Signer]:
    """The phone's identity, and its host."""
    one = Signer()
    await one.start()
    yield one
    await one.stop()
