"""What holds for all tests: nothing is timed, since a busy machine is no mistake of ours."""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from ivr.audio.workers import Workers
from tests.fakes import chromium

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    """One browser for all tests of this process: its start takes longer than most of them."""
    if chromium.installed() is None:
        pytest.skip(chromium.MISSING)
    with chromium.browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    await workers.close()
