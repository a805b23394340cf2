from collections.abc import AsyncIterator

import pytest

from ivr.audio.workers import Workers


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    await workers.close()
