"""`ivr serve` as a process: what it refuses, what it says, how it stops."""

import asyncio
import json
import shlex
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from ivr.cli import main
from ivr.phone.callers.turn_based import Leave, Speak
from ivr.phone.net.limits import PhoneLimits
from tests.kept_recordings import kept_recordings
from tests.phone.calling import PUBLIC, Signer, phone_to
from tests.server.harness import JSON, connected, read_answer, request
from tests.server.process import DESK, Serving, refused, served
from tests.server.test_attacks_on_the_routes import conversation
from tests.server.world import World
from tests.waiting import PATIENCE, until


async def test_without_an_app_id_it_says_what_to_set(folder: Path) -> None:
    said = await refused(folder)
    assert "IVR_APP_ID" in said
    assert "ivr serve --dev" in said


async def test_without_a_public_https_address_it_says_what_to_set(folder: Path) -> None:
    assert "IVR_PUBLIC_URL" in await refused(folder, IVR_APP_ID="x")
    assert "https" in await refused(folder, IVR_APP_ID="x", IVR_PUBLIC_URL="http://ivr.example.com")


async def test_a_public_address_of_this_machine_is_taken_where_a_phone_on_it_is_believed(
    folder: Path, signer: Signer
) -> None:
    here = "http://127.0.0.1:8080"
    assert "IVR_PUBLIC_URL" in await refused(folder, IVR_APP_ID="x", IVR_PUBLIC_URL=here)
    for elsewhere in ("http://ivr.example.com", "http://127.0.0.1.example.com"):
        said = await refused(folder, IVR_APP_ID="x", IVR_PUBLIC_URL=elsewhere, IVR_OPENID_LOOPBACK="yes")
        assert "IVR_PUBLIC_URL" in said
    async with served(folder, "--public-url", here, signer=signer) as one:
        (said,) = await lines_after_the_first(one, 1)
        assert said == f"Register {here}/call as the bot's calling webhook."


async def test_development_mode_for_other_machines_is_refused(folder: Path) -> None:
    said = await refused(folder, "--dev", "--host", "0.0.0.0", "--port", "0")
    assert "0.0.0.0 is reachable from other machines" in said


async def test_a_broken_flow_is_shown_with_its_line(folder: Path) -> None:
    (folder / "flows" / "desk.yaml").write_text(DESK.replace("next: bye", "next: by"))
    said = await refused(folder, "--dev", "--port", "0")
    assert 'Did you mean "bye"' in said
    assert "^^" in said


async def test_a_port_that_is_taken_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = await refused(folder, "--dev", "--port", port)
    other = int(port) + 1
    assert f"port {port}: Address already in use." in said
    assert f"Choose another port: PORT={other} make serve, or ivr serve --port {other}" in said


async def test_a_voice_that_cannot_be_used_is_named_before_any_call(folder: Path) -> None:
    said = await refused(folder, "--dev", "--port", "0", IVR_VOICE="openai")
    assert "OpenAI needs IVR_VOICE_KEY. For your own server, set IVR_VOICE_URL" in said


async def test_a_budget_that_is_longer_than_the_platforms_patience_is_refused(folder: Path) -> None:
    error = await refused(folder, "--dev", IVR_REPLY_BUDGET="5")
    assert "IVR_REPLY_BUDGET must be under the 5 seconds" in error


async def test_a_scripted_engine_without_its_script_is_refused(folder: Path) -> None:
    assert "IVR_STT_SCRIPT" in await refused(folder, "--dev", "--port", "0", "--stt", "scripted")


@pytest.mark.parametrize(
    ("engine", "variables", "said"),
    [
        ("azure-fast", {}, "IVR_AZURE_KEY"),
        ("azure-fast", {"IVR_AZURE_KEY": "k"}, "IVR_AZURE_REGION, such as westeurope"),
        ("azure-fast", {"IVR_AZURE_KEY": "k", "IVR_AZURE_ENDPOINT": "http://speech.example"}, "begin with https"),
        ("openai", {}, "IVR_OPENAI_KEY"),
        ("no-such-engine", {}, "IVR_STT"),
    ],
)
async def test_a_speech_engine_that_lacks_a_setting_is_refused_with_what_to_set(
    folder: Path, engine: str, variables: dict[str, Any], said: str
) -> None:
    assert said in await refused(folder, "--dev", "--port", "0", "--stt", engine, **variables)


async def test_a_key_is_no_flag_since_the_list_of_processes_would_show_it() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"]).output
    assert "--azure-region" in shown
    assert "--azure-key" not in shown
    assert "--openai-key" not in shown


async def test_without_flows_it_says_how_to_name_one(tmp_path: Path) -> None:
    assert "Give a flow" in await refused(tmp_path, "--dev")


async def test_a_second_server_on_the_same_data_is_refused_with_the_firsts_process(folder: Path) -> None:
    async with served(folder) as one:
        said = await refused(folder, "--dev", "--port", "0")
        assert str(one.process.pid) in said


async def test_it_says_what_it_serves_and_the_line_it_prints_works(folder: Path) -> None:
    async with served(folder) as one:
        assert one.process.stdout
        lines = [one.text]
        async with asyncio.timeout(PATIENCE):
            while "curl" not in lines[-1]:
                lines.append((await one.process.stdout.readline()).decode())
        assert lines[0].startswith(f"Serving desk at http://127.0.0.1:{one.port}")
        assert "only this machine" in lines[1]
        _, url, _, kind, _, body = shlex.split(lines[-1])
        assert kind == "Content-Type: application/json"
        answer = await one.post(urlsplit(url).path, json.loads(body))
        assert answer.status == 200
        workflow = json.loads(answer.body)
        assert workflow["links"]["callback"] == f"http://127.0.0.1:{one.port}/callback"
        assert [action["action"] for action in workflow["actions"]] == ["answer", "record"]


def two_flows(folder: Path) -> None:
    (folder / "flows" / "sales.yaml").write_text(DESK.replace("flow: desk", "flow: sales"))


async def lines_after_the_first(one: Serving, count: int) -> list[str]:
    assert one.process.stdout
    async with asyncio.timeout(PATIENCE):
        return [(await one.process.stdout.readline()).decode().rstrip() for _ in range(count)]


async def test_the_address_to_register_is_the_one_that_is_answered(folder: Path, signer: Signer) -> None:
    async with served(folder, signer=signer) as one:
        (said,) = await lines_after_the_first(one, 1)
    assert said == f"Register {PUBLIC}/call as the bot's calling webhook."


async def test_of_several_flows_each_has_an_address_to_register(folder: Path, signer: Signer) -> None:
    two_flows(folder)
    async with served(folder, signer=signer) as one:
        said = await lines_after_the_first(one, 4)
    assert said == [
        "Register one of these as the bot's calling webhook:",
        f"  {PUBLIC}/call/desk",
        f"  {PUBLIC}/call/sales",
        f"{PUBLIC}/call answers no calls until IVR_DEFAULT_FLOW or IVR_ROUTES is set.",
    ]


async def test_a_broken_flow_is_named_and_the_others_are_served(folder: Path, signer: Signer) -> None:
    (folder / "flows" / "sales.yaml").write_text("flow: sales\n")
    async with served(folder, "--default-flow", "desk", signer=signer) as one:
        said = await lines_after_the_first(one, 2)
        assert one.text.startswith("Serving desk at")
        refusal = next(line for line in map(json.loads, (await one.stop()).splitlines()) if "file" in line)
    assert said == [
        "NOT SERVED, because it has errors: flows/sales.yaml. See: ivr check flows/sales.yaml",
        f"Register {PUBLIC}/call as the bot's calling webhook.",
    ]
    assert (refusal["event"], refusal["file"]) == ("flow refused", "flows/sales.yaml")
    assert refusal["reason"] == "2 errors"
    assert [set(finding) for finding in refusal["findings"]] == 2 * [
        {"code", "line", "column", "message", "suggestion"}
    ]
    assert "^" not in json.dumps(refusal)


async def test_routes_alone_are_registered_with_whom_they_leave_out(folder: Path, signer: Signer) -> None:
    two_flows(folder)
    async with served(folder, signer=signer, IVR_ROUTES='{"28:sales": "sales"}') as one:
        said = await lines_after_the_first(one, 2)
    assert said == [
        f"Register {PUBLIC}/call as the bot's calling webhook.",
        f"{PUBLIC}/call answers only the identities in IVR_ROUTES until IVR_DEFAULT_FLOW is set.",
    ]


async def test_the_log_is_json_and_warns_of_unknown_variables(folder: Path, signer: Signer) -> None:
    async with served(folder, signer=signer, IVR_PRT="1", IVR_ZONE="EST") as one:
        async with phone_to(one.port, signer) as phone:
            await phone.call(Leave())
        await one.post("/nowhere", {})
        log = [json.loads(line) for line in (await one.stop()).splitlines()]
    begun = ["unknown setting", "doubtful setting", "keys fetched", "serving"]
    events = [*begun, "call begins", "call over", "refused", "draining", "stopped"]
    assert [line["event"] for line in log] == events
    assert "IVR_PORT" in log[0]["reason"]
    assert "summer time" in log[1]["reason"]
    assert len(log[4]["call"]) == 32
    assert one.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_turn_under_way_is_answered_before_the_process_ends(
    folder: Path, signer: Signer, number: signal.Signals
) -> None:
    (folder / "script.json").write_text('{"*": {"text": "x", "delay": 3600}}')
    options = ("--stt", "scripted", "--stt-script", "script.json", "--reply-budget", "0.5")
    async with served(folder, *options, signer=signer) as one, phone_to(one.port, signer) as phone:
        calling = asyncio.create_task(phone.call(Speak("my flight was late"), limits=PhoneLimits(retries=0)))
        data = folder / "recordings/live"
        await until(lambda: bool(kept_recordings(data)), within=data)
        await one.stop(number)
        call = await calling
    assert one.process.returncode == 0
    assert call.heard == ["Speak.", "One moment."]
    assert call.statuses == [200, 200, 0], "the server was there for the recording, and for nothing after it"


class Caller:
    """A connection on which calls are announced, one after the other, until it is closed."""

    def __init__(self, name: str, port: int, token: str, others: Mapping[str, str]) -> None:
        self.begun = asyncio.Event()
        self.answered: set[str] = set()
        self.cut_off = b""
        self._name, self._port, self._token, self._others = name, port, token, others

    async def announce(self) -> None:
        async with connected(self._port) as (reader, writer):
            while True:
                call = f"{self._name}-{len(self.answered)}"
                fields = {**JSON, **self._others, "X-Microsoft-Skype-Message-ID": call}
                writer.write(
                    request("POST", "/call", json.dumps(conversation(call)).encode(), fields, token=self._token)
                )
                try:
                    answer = await read_answer(reader)
                except asyncio.IncompleteReadError as error:
                    self.cut_off = error.partial
                    return
                except ConnectionError:
                    return
                assert answer.status == 200
                self.answered.add(call)
                if len(self.answered) == 3:
                    self.begun.set()


@pytest.mark.parametrize("others", [{}, {"TE": "trailers"}], ids=["short", "long"])
async def test_of_calls_that_are_being_announced_when_it_ends_each_is_answered_or_was_never_taken(
    world: World, signer: Signer, others: Mapping[str, str]
) -> None:
    async with served(world.folder, signer=signer, IVR_DATA=str(world.folder / "data")) as one:
        callers = [Caller(f"c{number}", one.port, signer.token(), others) for number in range(24)]
        announcing = [asyncio.create_task(caller.announce()) for caller in callers]
        async with asyncio.timeout(PATIENCE):
            for caller in callers:
                await caller.begun.wait()
        await one.stop()
        await asyncio.gather(*announcing)
    assert one.process.returncode == 0
    assert {caller.cut_off for caller in callers} == {b""}
    stored = {record.key.id for record in await world.calls()}
    assert stored == {call for caller in callers for call in caller.answered}
