"""`ivr serve` with its calls in a PostgreSQL database: as one process or several, and with the database away."""

import asyncio
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ivr.phone.callers.turn_based import Leave, Speak
from ivr.settings import variable
from tests.phone.calling import Signer, phone_to
from tests.postgres.cluster import SECRET, Cluster, Database
from tests.postgres.serving import command, readiness, settings
from tests.server.harness import JSON, connected, read_answer, request
from tests.server.process import DESK, refused, served
from tests.server.test_attacks_on_the_routes import conversation
from tests.waiting import ended


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "desk.yaml").write_text(DESK)
    return tmp_path


async def test_a_call_is_taken_listed_told_and_erased_while_the_server_goes_on(
    empty: Database, folder: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    variables = settings(empty.url, folder)
    async with served(folder, signer=signer, **variables) as one, phone_to(one.port, signer) as phone:
        assert (await readiness(one.port))[1]["store"] is True
        held = await phone.call(Speak("my flight was late"))
        assert set(held.statuses) == {200}
        listed = json.loads((await command("calls", "--json", **variables)).output)
        assert [(call["flow"], call["over"], call["outcome"]) for call in listed] == [("desk", True, "resolved")]
        number, caller = listed[0]["id"], listed[0]["caller"]
        assert (await command("calls", "show", number[:6], **variables)).output.startswith("desk, called by")
        to = folder / "saved"
        saved = await command("calls", "recordings", number, "--to", str(to), **variables)
        assert (saved.exit_code, len([*to.iterdir()])) == (0, 1)
        assert (await command("calls", "damaged", **variables)).output == "No call is damaged.\n"
        assert (await command("notifications", **variables)).output == "No notifications.\n"
        assert (await command("requests", **variables)).output == "No requests.\n"
        assert "1 same" in (await command("replay", "--live", **variables)).output
        receipt = await command("calls", "erase", "--caller", caller, "--yes", **variables)
        assert (receipt.exit_code, "Erased: 1 call, 1 recording." in receipt.output) == (0, True)
        assert (await command("calls", **variables)).output == "No calls.\n"
        assert set((await phone.call(Leave())).statuses) == {200}
        log = await one.stop()
    assert one.process.returncode == 0
    assert SECRET not in log
    assert not (folder / "data" / "calls.db").exists()


async def test_several_processes_serve_on_one_port_and_one_that_is_killed_comes_back(
    empty: Database, folder: Path, signer: Signer
) -> None:
    variables = settings(empty.url, folder)
    async with served(folder, "--workers", "2", signer=signer, **variables) as one:
        children = Path(f"/proc/{one.process.pid}/task/{one.process.pid}/children")
        for _ in range(2):
            await one.said("serving")
        first, second = map(int, children.read_text().split())

        async def call(name: str) -> int:
            async with connected(one.port) as (reader, writer):
                fields = {**JSON, "X-Microsoft-Skype-Message-ID": name}
                body = json.dumps(conversation(name)).encode()
                writer.write(request("POST", "/call", body, fields, token=signer.token()))
                return (await read_answer(reader)).status

        assert set(await asyncio.gather(*(call(f"a{number}") for number in range(40)))) == {200}
        os.kill(first, signal.SIGKILL)
        await ended(first)
        assert set(await asyncio.gather(*(call(f"b{number}") for number in range(40)))) == {200}
        await one.said("worker died")
        await one.said("serving")
        third = {int(pid) for pid in children.read_text().split()} - {second}
        assert len(third) == 1
        assert third != {first}
        listed = json.loads((await command("calls", "--json", **variables)).output)
        assert len(listed) == 80
        log = await one.stop()
    assert one.process.returncode == 0
    assert log.count('"stopped"') == 2


def believes(signer: Signer) -> dict[str, Any]:
    """Return the variables of a server that believes this phone alone."""
    return {variable(name): value for name, value in signer.settings.items()}


async def test_if_the_first_worker_cannot_start_the_command_says_so_once(
    empty: Database, folder: Path, signer: Signer
) -> None:
    (folder / "flows" / "desk.yaml").write_text("flow: desk\n")
    variables = believes(signer)
    said = await refused(folder, "--workers", "4", **variables, **settings(empty.url, folder))
    assert said.count("Error: ") == 1


async def test_a_port_of_another_program_is_not_shared(folder: Path, signer: Signer) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        port = taken.getsockname()[1]
        there = settings("postgresql://ivr@127.0.0.1/ivr", folder)
        said = await refused(folder, "--workers", "2", "--port", str(port), **believes(signer), **there)
    assert f"port {port}: Address already in use." in said


async def test_while_the_database_is_away_callers_are_asked_to_come_again_and_calls_go_on(
    own: Cluster, folder: Path, signer: Signer
) -> None:
    variables = settings(own.url(), folder)
    async with served(folder, signer=signer, **variables) as one, aiohttp.ClientSession() as session:

        async def post(call: str) -> tuple[int, str | None]:
            headers = {**JSON, "Authorization": f"Bearer {signer.token()}", "X-Microsoft-Skype-Message-ID": call}
            url = f"http://127.0.0.1:{one.port}/call"
            async with session.post(url, json=conversation(call), headers=headers) as answer:
                return answer.status, answer.headers.get("Retry-After")

        assert await post("before") == (200, None)
        own.stop(signal.SIGQUIT)
        for name in ("before", "new"):
            status, again = await post(f"{name}-away")
            assert (status, again is not None and int(again) > 0) == (503, True)
        status, parts = await readiness(one.port)
        assert (status, parts["ready"], parts["store"], parts["disk"]) == (503, False, False, True)
        own.start()
        assert await post("new-away") == (200, None)
        listed = json.loads((await command("calls", "--json", **variables)).output)
        assert len(listed) == 2
        log = await one.stop()
    assert "Traceback" not in log
    assert SECRET not in log
