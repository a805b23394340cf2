from collections.abc import AsyncIterator

import pytest

from tests.fakes.identity import Identity


@pytest.fixture
async def identity() -> AsyncIterator[Identity]:
    """The platform's own key server."""
    issuer = Identity()
    await issuer.start()
    yield issuer
    await issuer.stop()
