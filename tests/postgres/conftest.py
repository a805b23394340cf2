from collections.abc import Iterator

import pytest

from tests.postgres.cluster import MISSING, Cluster, Database, installed, running_cluster


@pytest.fixture
def empty(postgres: Database) -> Iterator[Database]:
    """A database without tables."""
    postgres.raze()
    yield postgres
    postgres.raze()


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A PostgreSQL that a test may stop; it keeps what it has acknowledged, whatever ends it."""
    if installed() is None:
        pytest.skip(MISSING)
    with running_cluster() as one:
        yield one
