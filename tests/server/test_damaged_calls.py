"""A running server with a call that it cannot read, and one whose disk takes no more."""

import json
import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.phone.calling import Signer
from tests.server.harness import connected, read_answer, request
from tests.server.process import DESK, Serving, served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "desk.yaml").write_text(DESK)
    return tmp_path


def incoming(call: str) -> dict[str, object]:
    people = [{"identity": "29:me", "originator": True}, {"identity": "28:bot", "originator": False}]
    return {"id": call, "participants": people, "presentedModalityTypes": ["audio"], "callState": "incoming"}


def ended(call: str) -> dict[str, object]:
    return {"id": call, "type": "callStateChange", "currentState": "terminated", "stateChangeCode": "0"}


def logged(log: str, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in log.splitlines()]
    return [line for line in lines if line["event"] == event]


async def ready(server: Serving) -> object:
    async with connected(server.port) as (reader, writer):
        writer.write(request("GET", "/readyz", token=None))
        return (await read_answer(reader)).json


async def test_one_damaged_call_is_set_aside_named_in_the_log_and_refused_and_the_others_go_on(
    folder: Path, signer: Signer
) -> None:
    async with served(folder, signer=signer) as server:
        for call in ("one", "two"):
            assert (await server.post("/call", incoming(call))).status == 200
        await server.stop()
    database = folder / "recordings/live/calls.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        (identity,) = connection.execute("SELECT id FROM call WHERE name = 'one'").fetchone()
        connection.execute(
            "UPDATE turn SET state = json_set(state, '$.phase', 'a secret') "
            "WHERE call = (SELECT row FROM call WHERE name = 'one')"
        )
    async with served(folder, signer=signer) as server:
        for path, message in (("/call", incoming("one")), ("/callback", ended("one"))):
            answer = await server.post(path, message)
            assert (answer.status, answer.code) == (503, "damaged")
        assert (await server.post("/callback", ended("two"))).status == 200
        assert (await server.post("/call", incoming("three"))).status == 200
        assert await ready(server) == {"ready": True, "store": True, "disk": True, "flows": True, "keys": True}
        log = await server.stop()
    what = "its state has an invalid format at $.phase"
    assert [(line["call"], line["reason"]) for line in logged(log, "call set aside")] == [(identity, what)]
    assert {line["reason"] for line in logged(log, "message for a damaged call")} == {f"call {identity}: {what}"}
    assert "a secret" not in log
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM call WHERE name = 'one'").fetchone() == (1,)


async def test_a_disk_that_takes_no_more_is_told_to_the_platform_the_log_and_the_balancer(
    folder: Path, signer: Signer
) -> None:
    async with served(folder, signer=signer) as server:
        assert (await server.post("/call", incoming("one"))).status == 200
        log = folder / "recordings/live/calls.db-wal"
        unlimited = resource.prlimit(
            server.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY)
        )
        answer = await server.post("/call", incoming("two"))
        assert (answer.status, answer.code) == (503, "unavailable")
        assert "retry-after" in {name.lower() for name in answer.headers}
        assert (await ready(server)) == {"ready": False, "store": False, "disk": True, "flows": True, "keys": True}
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        assert (await server.post("/call", incoming("two"))).status == 200
        said = await server.stop()
    (line,) = logged(said, "store unavailable")
    assert line["reason"] == "This could not be saved: the disk failed or is full."
