"""The phone's page for a bot that is not ours: it calls, and knows only what the bot tells."""

import aiohttp
import pytest

from ivr.phone.platform import Target
from ivr.server.phone.alone import phone_alone
from tests.browser.test_phone_line import Person
from tests.console.visiting import Visit
from tests.phone.fake_bot import nobody


async def test_any_bot_can_be_called_from_the_page(visit: Visit) -> None:
    target = Target(f"{visit.url}/call/desk")
    async with phone_alone(target, port=0) as address, aiohttp.ClientSession() as client:
        async with client.get(address.removesuffix("/phone")) as answer:
            page = await answer.text()
            assert answer.url.path == "/phone"
        assert f"{visit.url}/call/desk" in page
        assert 'id="picture"' not in page
        origin = address.removesuffix("/phone")
        async with client.ws_connect(f"{address}/line", headers={"Origin": origin}) as socket:
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
    async with phone_alone(Target("http://127.0.0.1:1/call"), port=0) as address, aiohttp.ClientSession() as client:
        async with client.get(address.removesuffix("/phone") + path) as answer:
            assert answer.status == status
        async with client.get(address, headers={"Host": "rebound.example"}) as answer:
            assert answer.status == 403


async def test_a_bot_that_is_not_there_is_told(visit: Visit) -> None:
    with nobody() as bot:
        alone = phone_alone(Target(f"{bot}/call"), port=0)
        async with alone as address, aiohttp.ClientSession() as client:
            origin = address.removesuffix("/phone")
            async with client.ws_connect(f"{address}/line", headers={"Origin": origin}) as socket:
                person = Person(socket)
                await person.does("dial")
                ended = await person.sees("Ended")
                assert (ended["by"], ended["reason"]) == ("platform", "unreachable")
                assert ended["detail"] == f"{bot}/call cannot be reached: Connection refused"
