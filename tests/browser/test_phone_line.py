"""The line between a page and the phone, without a browser: what it takes, what it tells, whom it refuses."""

import asyncio
import json
import os
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest

from ivr.server.phone.page_commands import LONGEST
from ivr.server.phone.page_line import PageMessage
from ivr.server.phone.routes import MOST_LINES
from ivr.trace.files import read_case
from tests.cli.stored_calls import ivr
from tests.console.test_console_pages import Reader
from tests.console.visiting import Visit, visiting
from tests.house.pages import ROOT
from tests.stored import stored_in
from tests.waiting import PATIENCE, logged

CLOCK = """\
flow: clock
initial: tell
on: {error: tell}
states:
  tell: {say: "It is {{ now | time }} on {{ now | date }}.", final: true}
"""
LANGUAGES = """\
flow: greeting
initial: greet
on: {error: greet}
states:
  greet: {say: "You speak {{ call.language or 'nothing' }}.", final: true}
"""


class Person:
    """The page's end of the line."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[dict[str, Any]] = []
        self.sound = 0

    async def does(self, what: str, **more: str) -> None:
        await self.socket.send_json({"do": what, **more})

    async def sees(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Wait for an event with these fields, and give it."""
        async with asyncio.timeout(PATIENCE):
            async for message in self.socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.sound += len(message.data)
                    continue
                event = json.loads(message.data)
                self.seen.append(event)
                if event["type"] == kind and fields.items() <= event.items():
                    return dict(event)
        raise AssertionError(f"the line closed ({self.socket.close_code}) before {kind} {fields}")


NOT_SHOWN = {"PromptAudio", "Sent", "Replied", "HangingUp"}
"Sound comes as bytes; messages and replies are for a terminal."


def test_the_page_knows_every_message_by_its_name() -> None:
    script = (ROOT / "ivr/server/static/phone.js").read_text("utf-8")
    handlers = script.partition("const happens = {")[2].partition("\n};")[0]
    told = {kind.__struct_config__.tag for kind in get_args(PageMessage)}
    assert set(re.findall(r"^  ([A-Z]\w+)[:(]", handlers, re.MULTILINE)) == told - NOT_SHOWN


@asynccontextmanager
async def line(visit: Visit, **headers: str) -> AsyncIterator[Person]:
    async with visit.client.ws_connect(f"{visit.url}/phone/line", headers={"Origin": visit.url, **headers}) as socket:
        yield Person(socket)


async def test_a_call_from_the_page_goes_its_way_and_is_seen_from_both_ends(visit: Visit) -> None:
    async with line(visit) as person:
        await person.does("dial", flow="desk", caller="29:me")
        prompt = await person.sees("PromptBegan")
        assert prompt["text"] == "Press 1 to leave a message."
        await person.does("press", key="1")
        there = await person.sees("Whereabouts", state="report", over=False)
        assert ["main", "report"] in there["transitions"]
        await person.sees("PromptBegan", text="Speak after the beep.")
        await person.does("leave")
        await person.sees("Ended", by="caller")
        assert (await person.sees("Whereabouts", over=True))["outcome"] == "abandoned"


async def test_what_comes_after_the_end_is_seen_too(visit: Visit) -> None:
    async with line(visit) as person:
        await person.does("dial", flow="desk")
        await person.sees("PromptBegan")
        await person.does("press", key="1")
        await person.sees("RecordingBegan")
        await person.does("say", words="the radio")
        await person.does("leave")
        await person.sees("Ended")
        assert (await person.sees("Whereabouts", over=True))["state"] == "heard"


async def test_a_prompt_file_is_heard_as_sound(tmp_path: Path) -> None:
    async with visiting(tmp_path, shipped=True) as visit, line(visit) as person:
        await person.does("dial", flow="support")
        await person.sees("PromptBegan")
        await person.does("press", key="2")
        await person.sees("PromptBegan", interruptible=False)
        await person.sees("PromptOver")
        assert person.sound > 16_000


async def rings_and_leaves(person: Person, *keys: str) -> None:
    await person.does("dial", flow="desk")
    await person.sees("PromptBegan")
    for key in keys:
        await person.does("press", key=key)
        await person.sees("PromptBegan")
    await person.does("leave")
    await person.sees("Ended")
    await person.sees("Whereabouts", over=True)


async def test_a_call_is_kept_as_a_case_once(visit: Visit) -> None:
    async with line(visit) as person:
        await rings_and_leaves(person)
        await person.does("save", name="gave-up")
        saved = await person.sees("Saved")
        file = visit.cases / "desk" / "gave-up.jsonl"
        assert saved["file"] == str(file)
        program, *command = shlex.split(saved["replay"])
        assert program == "ivr"
        replayed = ivr(*command)
        assert (replayed.exit_code, replayed.output) == (0, "1 call replayed: 1 same, 0 changed, 0 undetermined.\n")
        kept = file.read_bytes()
        assert b'"desk"' in kept
        await person.does("save", name="gave-up")
        assert "already" in (await person.sees("Sorry"))["text"]
        assert file.read_bytes() == kept


async def test_the_command_that_replays_a_case_is_short_where_flows_and_cases_are_in_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = tmp_path / "recordings" / "cases"
    cases.mkdir(parents=True)
    (tmp_path / "cases").symlink_to(cases)
    monkeypatch.chdir(tmp_path)
    async with visiting(tmp_path) as visit, line(visit) as person:
        await rings_and_leaves(person)
        await person.does("save", name="gave-up")
        assert (await person.sees("Saved"))["replay"] == "ivr replay"
        assert ivr("replay").output == "1 call replayed: 1 same, 0 changed, 0 undetermined.\n"


async def test_a_call_is_replayed_against_the_flow_as_it_stands_now(visit: Visit) -> None:
    async with line(visit) as person:
        await rings_and_leaves(person, "1")
        await person.does("replay")
        assert (await person.sees("Replayed", verdict="same"))["text"] == "this call: same"
        flow = visit.flows / "desk.yaml"
        flow.write_text("# moved\n" * 7 + flow.read_text().replace("Speak after the beep.", "Talk after the beep."))
        await person.does("replay")
        replayed = await person.sees("Replayed")
        assert "Talk after the beep." in replayed["text"]
        assert f"{flow}:23:22\n      record: {{prompt: Talk after the beep." in replayed["text"]
        assert replayed["verdict"] == "changed"


async def test_a_flow_with_mistakes_gives_its_findings_and_no_verdict(visit: Visit) -> None:
    async with line(visit) as person:
        await rings_and_leaves(person, "1")
        flow = visit.flows / "desk.yaml"
        flow.write_text("# moved\n" * 7 + flow.read_text().replace("next: heard", "next: herd"))
        await person.does("replay")
        sorry = (await person.sees("Sorry"))["text"]
        assert sorry.startswith("The call cannot be replayed: the flow's file has mistakes.\n\n")
        assert f"{flow}:24:11  unknown-target\n        next: herd\n              ^^^^\n" in sorry
        assert 'Did you mean "heard"' in sorry


async def test_a_flow_of_another_name_or_without_a_file_gives_no_verdict(visit: Visit) -> None:
    async with line(visit) as person:
        await rings_and_leaves(person)
        flow = visit.flows / "desk.yaml"
        flow.write_text(flow.read_text().replace("flow: desk", "flow: dask"))
        await person.does("replay")
        renamed = f'{flow} holds the flow "dask" now; this call was to "desk".'
        assert (await person.sees("Sorry"))["text"] == renamed
        await visit.sees('"dask"', "/phone")
        await person.does("replay")
        assert (await person.sees("Sorry"))["text"] == renamed
        flow.unlink()
        await person.does("replay")
        assert (await person.sees("Sorry"))["text"].endswith(f"\n\n{flow} no longer exists")


async def test_whoever_calls_an_edited_flow_is_told_if_it_is_the_version_before(visit: Visit) -> None:
    flow = visit.flows / "desk.yaml"
    sound = flow.read_text()
    async with line(visit) as person:
        flow.write_text(sound.replace("next: heard", "next: herd"))
        await person.does("dial", flow="desk")
        told = (await person.sees("Outdated"))["fault"]
        assert f"{flow}:17:11  unknown-target\n" in told
        await person.does("leave")
        await person.sees("Ended")
        flow.write_text(sound)
        await rings_and_leaves(person)
        assert [event["type"] for event in person.seen].count("Outdated") == 1


async def test_whoever_calls_before_an_edit_is_loaded_is_told(visit: Visit) -> None:
    flow, edited = visit.flows / "desk.yaml", visit.flows / "edited"
    edited.write_text(flow.read_text().replace("Goodbye.", "Good-by."))
    os.utime(edited, ns=(0, flow.stat().st_mtime_ns))  # as long and as old as before: it is not seen to be another
    edited.replace(flow)
    async with line(visit) as person:
        await person.does("dial", flow="desk")
        assert (await person.sees("Outdated"))["fault"] == ""
        await person.does("leave")
        await person.sees("Ended")


async def test_a_case_is_of_the_flow_that_took_the_call_whatever_became_of_its_file(visit: Visit) -> None:
    async with line(visit) as person:
        await rings_and_leaves(person, "1")
        (visit.flows / "desk.yaml").write_text("flow: [")
        await person.does("save", name="before-it-broke")
        file = Path((await person.sees("Saved"))["file"])
        assert read_case(file).header.states["report"] == 15


async def test_there_is_nothing_to_keep_before_a_call(visit: Visit) -> None:
    async with line(visit) as person:
        await person.does("save", name="nothing")
        assert (await person.sees("Sorry"))["text"] == "The server has no record of this call."


async def test_a_second_call_can_follow_the_first_on_the_same_line(visit: Visit) -> None:
    async with line(visit) as person:
        await rings_and_leaves(person)
        await rings_and_leaves(person, "1")
    assert ended(visit) == ["abandoned", "abandoned"]


def ended(visit: Visit) -> list[str | None]:
    """Return how the calls ended that the server knows; None: one that goes on."""
    with stored_in(visit.data) as archive:
        return [one.record.call.outcome for one in archive.stored() if one.record]


async def test_a_page_that_goes_away_hangs_up(visit: Visit) -> None:
    with logged("call over") as over:
        async with line(visit) as person:
            await person.does("dial", flow="desk")
            await person.sees("PromptBegan")
            assert ended(visit) == [None]
        await over.once()
    assert ended(visit) == ["abandoned"]


async def test_sound_and_commands_without_a_call_do_nothing(visit: Visit) -> None:
    async with line(visit) as person:
        await person.socket.send_bytes(b"\x00" * 641)
        await person.does("press", key="1")
        await person.does("leave")
        await person.does("dial", flow="desk")
        await person.socket.send_bytes(b"\x00" * 641)
        await person.sees("PromptBegan")
    assert {"KeyHeard", "VoiceHeard", "Ended", "Sorry"}.isdisjoint(event["type"] for event in person.seen)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_a_page_of_another_site_gets_no_line(visit: Visit, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with line(visit, Origin=origin):
            pass
    assert refused.value.status == 403


async def test_who_does_not_say_where_it_comes_from_gets_no_line(visit: Visit) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with visit.client.ws_connect(f"{visit.url}/phone/line"):
            pass
    assert refused.value.status == 403


async def test_a_name_of_somebody_else_for_this_machine_gets_no_line(visit: Visit) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with line(visit, Host="rebound.example", Origin="http://rebound.example"):
            pass
    assert refused.value.status == 403


async def test_a_call_is_made_at_the_time_that_the_page_names(tmp_path: Path) -> None:
    async with visiting(tmp_path, more={"clock.yaml": CLOCK}) as visit, line(visit) as person:
        await person.does("dial", flow="clock", at="tomorrow")
        assert "is not a time" in (await person.sees("Sorry"))["text"]
        await person.does("dial", flow="clock", at="2026-12-24 18:05")
        await person.sees("PromptBegan", text="It is 6:05 PM on Thursday, December 24.")
        await person.sees("Ended")
        await person.does("write")
        assert 'at: "2026-12-24 18:05"' in (await person.sees("Written"))["text"]


async def test_a_call_is_made_in_the_language_that_the_page_names(tmp_path: Path) -> None:
    async with visiting(tmp_path, more={"greeting.yaml": LANGUAGES}) as visit, line(visit) as person:
        await person.does("dial", flow="greeting")
        await person.sees("PromptBegan", text="You speak en-US.")
        await person.sees("Ended")
        await person.does("dial", flow="greeting", language="de-AT")
        await person.sees("PromptBegan", text="You speak de-AT.")
        await person.sees("Ended")
        await person.does("write")
        assert 'language: "de-AT"' in (await person.sees("Written"))["text"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        '{"do": "shout"}',
        '{"do": "press", "key": "12"}',
        '{"do": "press", "key": "x"}',
        '{"do": "press", "key": "1", "more": 1}',
        '{"do": "save", "name": "../../x"}',
        '{"do": "save", "name": ""}',
        '{"do": "save", "name": "x\\n"}',
        '{"do": "say", "words": ""}',
        '{"do": "dial", "flow": 7}',
        '{"do": "dial", "language": "no tag"}',
        "[" * 5000,
    ],
)
async def test_a_line_that_talks_nonsense_is_closed(visit: Visit, message: str) -> None:
    async with line(visit) as person:
        await person.socket.send_str(message)
        async with asyncio.timeout(PATIENCE):
            while (await person.socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert person.socket.close_code == 1008


async def test_a_message_that_is_too_long_closes_the_line(visit: Visit) -> None:
    async with line(visit) as person:
        await person.socket.send_bytes(b"\x00" * (LONGEST + 1))
        async with asyncio.timeout(PATIENCE):
            while (await person.socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert person.socket.close_code == 1009


async def test_only_so_many_pages_can_be_open(visit: Visit) -> None:
    headers = {"Origin": visit.url}
    sockets = [await visit.client.ws_connect(f"{visit.url}/phone/line", headers=headers) for _ in range(MOST_LINES)]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with line(visit):
            pass
    assert refused.value.status == 503
    for socket in sockets:
        await socket.close()


async def test_the_line_is_a_websocket_and_the_rest_is_only_read(visit: Visit) -> None:
    assert (await visit.get("/phone/line", headers={"Origin": visit.url}))[0] == 400
    for path, status in (("/phone", 405), ("/phone/line", 405)):
        async with visit.client.post(visit.url + path) as answer:
            assert answer.status == status
    for path in ("/phone/nothing", "/phone/picture/nobody", "/phone/static/../pagefiles.py"):
        assert (await visit.get(path))[0] == 404


async def test_the_page_lets_nothing_in_but_files_of_this_server(visit: Visit) -> None:
    status, headers, page = await visit.get("/phone")
    assert status == 200
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Permissions-Policy"].startswith("microphone=(self)")
    read = Reader(page)
    assert not [name for name, _ in read.attributes if name.startswith("on") or name == "style"]
    outside = [value for name, value in read.attributes if name in {"src", "href", "action"}]
    assert all(str(value).startswith("/") and not str(value).startswith("//") for value in outside)


async def test_an_open_page_does_not_keep_the_server_from_going_down(tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE), visiting(tmp_path) as visit:
        socket = await visit.client.ws_connect(f"{visit.url}/phone/line", headers={"Origin": visit.url})
        person = Person(socket)
        await person.does("dial", flow="desk")
        await person.sees("PromptBegan")
    assert ended(visit) == ["abandoned"]
