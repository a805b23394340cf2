"""`ivr botstate`: an operator reads, writes and deletes what a bot keeps, in our service or in another one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ivr.carriers.api_server import api_served
from ivr.carriers.rest import ApiReply, ApiRequest
from tests.bot_state.state_world import APP, SECRETS, StateWorld, of_conversation, of_user, state_service
from tests.bot_state.test_published_bot_state import published
from tests.cli.stored_calls import ivr


async def command(*arguments: str) -> Result:
    return await asyncio.to_thread(ivr, "botstate", *arguments)


@asynccontextmanager
async def served(folder: Path, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> AsyncIterator[StateWorld]:
    """Serve, with the environment of somebody who has the bot's secret."""
    async with state_service(folder, **changed) as world:
        monkeypatch.setenv("IVR_BOT_STATE_URL", world.server.url)
        monkeypatch.setenv("IVR_CHAT_APP_ID", APP)
        monkeypatch.setenv("IVR_CHAT_PASSWORD", SECRETS[APP])
        monkeypatch.setenv("IVR_CHAT_LOGIN_URL", world.login.base)
        yield world


async def test_a_record_is_written_read_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path, monkeypatch) as bot:
        written = json.loads((await command("set", "skype", "--user", "29:a/b", '{"seat": "é"}')).output)
        assert written["data"] == {"seat": "é"}
        assert json.loads((await command("get", "skype", "--user", "29:a/b")).output) == written
        assert (await bot.get(of_user("29:a/b")))[1] == written
        await bot.post(f"{of_conversation('room')}/users/29%3Aa%2Fb", 1)
        assert (await command("delete", "skype", "--user", "29:a/b")).output == "Deleted: 29:a/b, room.\n"
        assert (await command("delete", "skype", "--user", "29:a/b")).output == "Deleted: nothing was there.\n"
        gone = json.loads((await command("get", "skype", "--user", "29:a/b")).output)
        assert gone == {"data": None, "eTag": "*"}
        assert {form["client_id"] for form in bot.login.logins} == {APP}


async def test_of_a_conversation_and_of_somebody_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path, monkeypatch) as bot:
        await command("set", "skype", "--conversation", "room", "1")
        await command("set", "skype", "--conversation", "room", "--user", "anna", "2")
        assert (await bot.get(of_conversation("room")))[1]["data"] == 1
        assert (await bot.get(f"{of_conversation('room')}/users/anna"))[1]["data"] == 2
        assert (await command("delete", "skype", "--conversation", "room")).output == "Deleted.\n"
        assert (await bot.get(of_conversation("room")))[1]["data"] is None
        assert (await bot.get(f"{of_conversation('room')}/users/anna"))[1]["data"] == 2


async def test_a_tag_of_before_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path, monkeypatch):
        first = json.loads((await command("set", "skype", "--user", "anna", "1")).output)
        second = await command("set", "skype", "--user", "anna", "2", "--tag", first["eTag"])
        assert json.loads(second.output)["data"] == 2
        late = await command("set", "skype", "--user", "anna", "3", "--tag", first["eTag"])
        assert (late.exit_code, late.output) == (
            1,
            "Error: The record has another eTag by now. Read it again, and decide anew.\n",
        )


async def test_who_is_not_served_is_told_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("get", "skype", "--user", "anna")
    async with served(tmp_path, monkeypatch, bot_state_apps="other-app"):
        assert "add the bot's app id to IVR_BOT_STATE_APPS" in (await command(*asked)).output
        monkeypatch.setenv("IVR_CHAT_PASSWORD", "wrong")
        assert "gives no token. See IVR_CHAT_APP_ID" in (await command(*asked)).output
        monkeypatch.delenv("IVR_CHAT_PASSWORD")
        assert "takes no request without the token of a bot" in (await command(*asked)).output
    assert "cannot be reached. Does it run?" in (await command(*asked)).output
    assert "must be an address such as https://" in (await command(*asked, "--url", "state")).output
    assert "only https is possible" in (await command(*asked, "--url", "http://state.example")).output
    monkeypatch.delenv("IVR_CHAT_APP_ID")
    async with served(tmp_path, monkeypatch, bot_state_apps=None):
        assert "There is no state service at this address" in (await command(*asked)).output


async def test_what_is_no_order_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Use --user, --conversation, or both" in (await command("get", "skype")).output
    assert "dots alone lead elsewhere" in (await command("get", "skype", "--user", "..")).output
    assert "must be JSON" in (await command("set", "skype", "--user", "anna", "seat 12")).output
    assert "--tag is for one record" in (await command("delete", "skype", "--user", "anna", "--tag", "1")).output


async def test_a_server_for_development_needs_no_bot(tmp_path: Path) -> None:
    async with state_service(tmp_path, dev=True) as bot:
        told = await command("set", "skype", "--user", "anna", "--url", bot.server.url, "-")
        assert "must be JSON" in told.output  # nothing is at standard input
        told = await command("set", "skype", "--user", "anna", "--url", bot.server.url, '"a text"')
        assert json.loads(told.output)["data"] == "a text"


# --- another service --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def another_service(answer: Callable[[ApiRequest], ApiReply]) -> AsyncIterator[tuple[str, list[ApiRequest]]]:
    asked: list[ApiRequest] = []

    def api(request: ApiRequest) -> ApiReply:
        asked.append(request)
        return answer(request)

    async with api_served(api) as base:
        yield f"{base}/below/", asked


@pytest.mark.parametrize(("name", "arguments"), [("01", ("set", '{"DemoData1": "Test Data 1"}')), ("02", ("get",))])
async def test_what_was_published_is_what_we_ask_and_what_was_answered_is_read(
    name: str, arguments: tuple[str, ...]
) -> None:
    exchange = published(name)
    told = exchange["response"]
    async with another_service(lambda _: ApiReply(told["status"], json.dumps(told["body"]).encode())) as (base, asked):
        verb, *data = arguments
        done = await command(verb, "skype", "--user", "29:1iFtpwQ...", "--url", base, *data)
        assert json.loads(done.output) == told["body"]
    (one,) = asked
    assert one.method == exchange["request"]["method"]
    assert one.path == "/below/v3/botstate/skype/users/29:1iFtpwQ..."
    if "body" in exchange["request"]:
        assert json.loads(one.body) == exchange["request"]["body"]


async def test_03_what_is_saved_of_a_conversation_without_an_answer_to_read() -> None:
    exchange = published("03")["request"]
    async with another_service(lambda _: ApiReply(200)) as (base, asked):
        told = await command(
            "set", "skype", "--conversation", "29:1iFtpwQ...", "--url", base, json.dumps(exchange["body"]["data"])
        )
        assert "what came is not what a state service answers" in told.output
    assert json.loads(asked[0].body) == exchange["body"]


ODD_ANSWERS = [
    (ApiReply(200, b"[]"), "what came is not what a state service answers"),
    (ApiReply(200, b'{"data":' + b"[" * 5000), "what came is not what a state service answers"),
    (ApiReply(500, b"<html>"), "The service refuses (500): it does not say why"),
    (ApiReply(400, b'{"error":{"code":"MessageSizeTooBig","message":"Too\\u001b[2J big"}}'), "(400): Too [2J big"),
    (ApiReply(302, b""), "The service refuses (302)"),
]


async def test_odd_answers_are_told_and_move_no_cursor() -> None:
    for answer, said in ODD_ANSWERS:
        async with another_service(lambda _, answer=answer: answer) as (base, _):
            told = await command("get", "skype", "--user", "anna", "--url", base)
            assert said in told.output
            assert "\x1b" not in told.output
            assert told.exit_code == 1
    async with another_service(lambda _: ApiReply(200, b'{"data":"\\u001b[2J","eTag":"\\u001b"}')) as (base, _):
        told = await command("get", "skype", "--user", "anna", "--url", base)
        assert json.loads(told.output) == {"data": "\x1b[2J", "eTag": "\x1b"}
        assert "\x1b" not in told.output
    async with another_service(lambda _: ApiReply(200)) as (base, _):  # the vendor's emulator said nothing
        told = await command("delete", "skype", "--user", "anna", "--url", base)
        assert (told.exit_code, told.output) == (0, "The service has taken it, and does not say what was deleted.\n")
