"""What holds for all tests.

Nothing is timed, since a busy machine is no mistake of ours. A test that generates its examples generates the same ones
in each run, so that what passes here passes everywhere; `make search` tries others. Both hold for tests with `settings`
of their own, too: these add to the profile that is loaded here.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from ivr.audio.workers import Workers
from tests.fakes import chromium
from tests.postgres import cluster as postgresql

if TYPE_CHECKING:
    from tests.phone.calling import Signer

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.register_profile("same", UNTIMED, derandomize=True)
settings.register_profile("search", UNTIMED, derandomize=False, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    """One browser for all tests of this process: its start takes longer than most of them."""
    if chromium.installed() is None:
        pytest.skip(chromium.MISSING)
    with chromium.browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgresql.Cluster]:
    """One PostgreSQL for all tests of this process that need no more than a database."""
    if postgresql.installed() is None:
        pytest.skip(postgresql.MISSING)
    with postgresql.running_cluster(**postgresql.FORGETFUL) as one:
        yield one


@pytest.fixture(scope="session")
def _postgres_of_this_process(postgres_cluster: postgresql.Cluster) -> Iterator[postgresql.Database]:
    one = postgresql.Database(postgres_cluster.url())
    yield one
    one.close()


@pytest.fixture
def postgres(_postgres_of_this_process: postgresql.Database) -> postgresql.Database:
    """Return a database without rows: that of the tests before, with the tables that a store made there, emptied."""
    _postgres_of_this_process.empty()
    return _postgres_of_this_process


@pytest.fixture
def postgres_url(postgres: postgresql.Database) -> str:
    """Return what a store is told to find that database."""
    return postgres.url


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    await workers.close()


@pytest.fixture
async def signer() -> AsyncIterator[Signer]:
    """Whom a server with its token check on believes: the phone's identity, and its host."""
    from tests.phone.calling import Signer  # noqa: PLC0415  # it makes a key, so only for those who ask for it

    one = Signer()
    await one.start()
    yield one
    await one.stop()
