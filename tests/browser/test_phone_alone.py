"""The phone's page for a bot that is not ours: it calls, and knows only what the bot tells."""

from pathlib import Path

import aiohttp
import pytest

from ivr.cli.phone.call_scripts import run_script
from ivr.phone.net.identity import KEYS_PATH, METADATA_PATH, Identity, KeyUnusable
from ivr.phone.platform import Target
from ivr.server.phone.standalone import standalone_phone
from tests.browser.test_phone_line import Person
from tests.console.visiting import Visit
from tests.phone.fake_bot import ANSWER, HANG_UP, MENU, fake_bot, flow, nobody


async def test_any_bot_can_be_called_from_the_page(visit: Visit) -> None:
    target = Target(f"{visit.url}/call/desk")
    async with standalone_phone(target, port=0) as alone, aiohttp.ClientSession() as client:
        async with client.get(alone.page.removesuffix("/phone")) as answer:
            page = await answer.text()
            assert answer.url.path == "/phone"
        assert f"{visit.url}/call/desk" in page
        assert 'id="picture"' not in page
        origin = alone.page.removesuffix("/phone")
        async with client.ws_connect(f"{alone.page}/line", headers={"Origin": origin}) as socket:
            person = Person(socket)
            await person.does("dial")
            assert (await person.sees("PromptBegan"))["text"] == "Press 1 to leave a message."
            await person.does("press", key="1")
            await person.sees("PromptBegan", text="Speak after the beep.")
            await person.does("leave")
            await person.sees("Ended", by="caller")
            await person.does("replay")
            assert "another bot" in (await person.sees("Sorry"))["text"]
        assert "Whereabouts" not in {event["type"] for event in person.seen}


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/phone/picture/desk", 404), ("/call", 404)])
async def test_it_answers_nothing_else(path: str, status: int) -> None:
    async with standalone_phone(Target("http://127.0.0.1:1/call"), port=0) as alone, aiohttp.ClientSession() as client:
        async with client.get(alone.page.removesuffix("/phone") + path) as answer:
            assert answer.status == status
        async with client.get(alone.page, headers={"Host": "rebound.example"}) as answer:
            assert answer.status == 403


async def test_a_bot_that_is_not_there_is_told(visit: Visit) -> None:
    with nobody() as bot:
        serving = standalone_phone(Target(f"{bot}/call"), port=0)
        async with serving as alone, aiohttp.ClientSession() as client:
            origin = alone.page.removesuffix("/phone")
            async with client.ws_connect(f"{alone.page}/line", headers={"Origin": origin}) as socket:
                person = Person(socket)
                await person.does("dial")
                ended = await person.sees("Ended")
                assert (ended["by"], ended["reason"]) == ("platform", "unreachable")
                assert ended["detail"] == f"{bot}/call cannot be reached: Connection refused"


async def test_a_page_that_is_open_when_the_phone_goes_away_hangs_up() -> None:
    async with fake_bot(flow(ANSWER, MENU)) as bot, aiohttp.ClientSession() as client:
        async with standalone_phone(Target(bot.call), port=0) as alone:
            socket = await client.ws_connect(
                f"{alone.page}/line", headers={"Origin": alone.page.removesuffix("/phone")}
            )
            person = Person(socket)
            await person.does("dial")
            await person.sees("ListensFor")
        assert bot.results[-1]["callState"] == "terminated"


async def test_the_phone_of_a_page_has_the_kept_key_and_the_caller_that_it_was_given(tmp_path: Path) -> None:
    key = tmp_path / "phone.pem"
    kept = Identity.kept("my-bot", key).documents("")[KEYS_PATH]
    async with fake_bot(flow(ANSWER, MENU)) as bot, aiohttp.ClientSession() as client:
        target = Target(bot.call, "my-bot", key=key, caller="29:me", language="de-DE")
        async with standalone_phone(target, port=0) as alone:
            async with client.get(alone.metadata.removesuffix(METADATA_PATH) + KEYS_PATH) as answer:
                assert await answer.read() == kept  # before any call
            origin = alone.page.removesuffix("/phone")
            async with client.ws_connect(f"{alone.page}/line", headers={"Origin": origin}) as socket:
                person = Person(socket)
                await person.does("dial")
                await person.sees("ListensFor")
        announced = bot.told[0].json
        assert [one["identity"] for one in announced["participants"]] == ["29:me", "28:my-bot"]
        assert announced["participants"][0]["languageId"] == "de-DE"


async def test_a_key_that_cannot_be_used_keeps_the_page_from_opening(tmp_path: Path) -> None:
    (tmp_path / "phone.pem").write_text("no key")
    with pytest.raises(KeyUnusable):
        async with standalone_phone(Target("http://127.0.0.1:1/call", key=tmp_path / "phone.pem"), port=0):
            pass


async def test_a_call_to_any_bot_is_written_down_as_a_script(tmp_path: Path) -> None:
    async with fake_bot(flow(ANSWER, MENU), flow(HANG_UP)) as bot:
        opened = standalone_phone(Target(bot.call), port=0)
        async with opened as alone, aiohttp.ClientSession() as client:
            origin = alone.page.removesuffix("/phone")
            async with client.ws_connect(f"{alone.page}/line", headers={"Origin": origin}) as socket:
                person = Person(socket)
                await person.does("dial")
                await person.sees("ListensFor")
                await person.does("press", key="1")
                await person.sees("Ended")
                await person.does("write")
                written = await person.sees("Written")
        script = tmp_path / "again.call.yaml"
        script.write_text(written["text"])
        bot.answers = [flow(ANSWER, MENU), flow(HANG_UP)]
        played = await run_script(script, Target("http://127.0.0.1:1/call"))
    assert played.failure is None, played.failure
    assert f'bot: "{bot.call}"' in script.read_text()


async def test_before_the_first_call_there_is_nothing_to_write_down() -> None:
    async with standalone_phone(Target("http://127.0.0.1:1/call"), port=0) as alone, aiohttp.ClientSession() as client:
        origin = alone.page.removesuffix("/phone")
        async with client.ws_connect(f"{alone.page}/line", headers={"Origin": origin}) as socket:
            person = Person(socket)
            await person.does("write")
            assert (await person.sees("Sorry"))["text"] == "There is no call yet."
