"""How many connections the system lets a server have, and what is said if they are fewer than were asked for."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ivr.server.guarded_server import ConnectionLimits
from ivr.server.startup import LEAST, RESERVED, within
from ivr.settings import SettingsError
from tests.server.harness import connected, read_answer, request
from tests.server.process import refused, served


def needed(limits: ConnectionLimits) -> int:
    return limits.most + limits.spare + limits.lobby + RESERVED


@pytest.mark.parametrize("most", [1, 512, 10_000])
@pytest.mark.parametrize("files", [RESERVED + LEAST, 128, 200, 256, 1000, 1024, 4096])
def test_connections_and_all_else_have_open_files_enough(files: int, most: int) -> None:
    asked = ConnectionLimits(most=most)
    lowered = within(files, asked)
    assert needed(lowered) <= files
    assert lowered == asked or needed(asked) > files
    assert lowered.most >= 1
    assert lowered.spare >= 1


def test_the_limit_of_many_systems_is_enough_for_ours() -> None:
    assert within(1024, ConnectionLimits()) == ConnectionLimits()


def test_too_few_are_told_with_what_to_do() -> None:
    with pytest.raises(SettingsError, match="LimitNOFILE"):
        within(RESERVED + LEAST - 1, ConnectionLimits())


async def test_a_server_says_that_it_has_fewer_connections_and_answers_on_as_many_as_come(folder: Path) -> None:
    async with served(folder, files=200) as one:
        async with AsyncExitStack() as stack:
            for _ in range(300):
                await stack.enter_async_context(connected(one.port))
            reader, writer = await stack.enter_async_context(connected(one.port))
            writer.write(request("GET", "/readyz"))
            assert (await read_answer(reader)).status == 200
        log = [json.loads(line) for line in (await one.stop()).splitlines()]
    (said,) = [line["reason"] for line in log if line["event"] == "fewer connections"]
    assert "200 open files" in said
    assert "not for 512" in said
    assert "error" not in {line["level"] for line in log}


async def test_a_server_that_could_have_none_does_not_start(folder: Path) -> None:
    assert "LimitNOFILE" in await refused(folder, "--dev", "--port", "0", files=64)
