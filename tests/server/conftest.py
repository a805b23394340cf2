from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from tests.phone.calling import Signer
from tests.server.harness import Served, Way, serving
from tests.server.process import DESK
from tests.server.world import World


@pytest.fixture(params=get_args(Way))
def way(request: pytest.FixtureRequest) -> Way:
    """The way that plain requests take; tests of what holds on both ask for it, and run twice."""
    chosen: Way = request.param
    return chosen


@pytest.fixture
async def served(tmp_path: Path, way: Way) -> AsyncIterator[Served]:
    """A server in this process, with twins behind its routes."""
    async with serving(tmp_path, way=way) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with one flow, for a server process."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "desk.yaml").write_text(DESK)
    return tmp_path


@pytest.fixture
def world(tmp_path: Path, signer: Signer) -> World:
    """What servers with their token check on need, and a phone that they believe."""
    return World(tmp_path, signer)
