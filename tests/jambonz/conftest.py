"""Whom another line of the same server believes."""

from collections.abc import AsyncIterator

import pytest

from tests.phone.calling import Signer


@pytest.fixture
async def signer() -> AsyncIterator[Signer]:
    """The identity of Skype's platform, and its host."""
    one = Signer()
    await one.start()
    yield one
    await one.stop()
