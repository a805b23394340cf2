"""The state service over HTTP: what bots keep in it, and who wins where two write at the same time."""

import asyncio
import json
from pathlib import Path

from tests.bot_state.state_world import (
    APP,
    OTHER_APP,
    ROOM,
    STRANGER,
    USER,
    StateWorld,
    in_private,
    of_conversation,
    of_user,
    state_service,
)

NOTHING = (200, {"data": None, "eTag": "*"})
CHANGED = (412, {"error": {"code": "BadArgument", "message": "The data is changed"}})


async def kept(bot: StateWorld, path: str) -> object:
    status, told = await bot.get(path)
    assert status == 200
    return told["data"]


async def test_what_is_not_there_has_no_data_and_any_tag(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        for path in (of_user(), of_conversation(), in_private()):
            assert await bot.get(path) == NOTHING


async def test_what_is_posted_is_read_again_with_its_tag_after_a_restart_too(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        told = await bot.post(of_user(), {"a": [1, None, "é"]})
        assert told[1]["data"] == {"a": [1, None, "é"]}
        assert await bot.get(of_user()) == told
    async with state_service(tmp_path) as bot:
        assert await bot.get(of_user()) == told


async def test_data_is_any_json(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        for data in ({}, [], "text", "", 0, 1.5, False, {"data": {"eTag": "*"}}, [[[]]], "\u0000"):
            await bot.post(of_user(), data)
            assert await kept(bot, of_user()) == data


async def test_what_was_sent_comes_back_to_the_byte(tmp_path: Path) -> None:
    data = '{"z": 12345678901234567890123456, "z": 1.10, "e": "\\u00e9"}'
    async with state_service(tmp_path) as bot:
        await bot.send("POST", of_user(), f'{{"data" : {data} , "eTag":"*"}}'.encode())
        async with bot.session.get(bot.server.url + of_user(), headers=bearing(bot)) as answer:
            assert (await answer.text()).startswith(f'{{"data":{data},"eTag":"')


def bearing(bot: StateWorld) -> dict[str, str]:
    return {"Authorization": f"Bearer {bot.login.bot_token(APP)}"}


async def test_the_three_kinds_of_records_are_apart(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        paths = (
            of_user(),
            of_conversation(),
            in_private(),
            of_conversation(USER),
            of_user(ROOM),
            of_user(USER, "teams"),
        )
        for path in paths:
            await bot.post(path, path)
        assert [await kept(bot, path) for path in paths] == list(paths)


async def test_no_tag_and_any_tag_write_over_what_is_there(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        told = [await bot.post(of_user(), data, tag) for data, tag in enumerate((None, "*", None, "*"))]
        assert len({answer["eTag"] for _, answer in told}) == 4
        assert await kept(bot, of_user()) == 3


async def test_the_right_tag_writes_and_another_one_does_not(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        _, first = await bot.post(of_user(), 1)
        _, second = await bot.post(of_user(), 2, first["eTag"])
        for tag in (first["eTag"], "", "a guess"):
            assert await bot.post(of_user(), 3, tag) == CHANGED
            assert await bot.post(of_user(), None, tag) == CHANGED
        assert await bot.get(of_user()) == (200, second)


async def test_where_nothing_is_a_tag_of_before_is_taken(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        assert (await bot.post(of_user(), 1, "a tag of before"))[0] == 200


async def test_no_data_drops_the_record(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        for body in (b'{"eTag":"*","data":null}', b'{"eTag":"*"}', b"{}", b'{"data": null , "eTag":null}'):
            await bot.post(of_user(), 1)
            assert await bot.send("POST", of_user(), body) == NOTHING
            assert await bot.get(of_user()) == NOTHING


async def test_deleting_a_user_leaves_conversations(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        for path in (of_user(), of_conversation(), in_private(), of_user("29:bert"), in_private(ROOM, "29:bert")):
            await bot.post(path, 1)
        assert await bot.delete(of_user()) == (200, [USER, ROOM])
        assert await bot.delete(of_user()) == (200, [])
        assert await kept(bot, of_user()) is None
        assert await kept(bot, in_private()) is None
        assert await kept(bot, of_conversation()) == 1
        assert await kept(bot, of_user("29:bert")) == 1
        assert await kept(bot, in_private(ROOM, "29:bert")) == 1


async def test_of_fifty_writers_with_one_tag_one_wins(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        _, told = await bot.post(of_conversation(), "first")
        for _ in range(2):
            answers = await asyncio.gather(*(bot.post(of_conversation(), n, told["eTag"]) for n in range(50)))
            won = [answer for answer in answers if answer != CHANGED]
            assert [status for status, _ in won] == [200]
            assert await bot.get(of_conversation()) == won[0]
            ((_, told),) = won


async def test_thirty_two_kilobytes_and_not_a_byte_more(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        largest = "x" * (32 * 1024 - 2)
        assert (await bot.post(of_user(), largest))[0] == 200
        for much in (largest + "x", largest * 3):
            status, told = await bot.post(of_user(), much)
            assert (status, told["error"]["code"]) == (400, "MessageSizeTooBig")
        assert await kept(bot, of_user()) == largest


async def test_ids_are_percent_encoded_and_mean_what_they_decode_to(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        await bot.post("/v3/botstate/skype/users/29%3aa%2Fb%20%C3%A9%25", 1)
        assert await kept(bot, of_user("29:a/b é%")) == 1
        assert await kept(bot, "/v3/botstate/skype/users/29:a%2fb%20%c3%a9%25") == 1
        assert await kept(bot, of_user("29:a")) is None


async def test_a_token_of_either_version_is_the_same_bot_s(tmp_path: Path) -> None:
    async with state_service(tmp_path, bot_state_issuers="https://a.example,https://b.example") as bot:
        assert (await bot.get(of_user()))[0] == 401
        first = bot.login.bot_token(APP, iss="https://a.example")
        await bot.post(of_user(), 1, token=first)
        bot.login.version = "2.0"
        second = bot.login.bot_token(APP, iss="https://b.example")
        assert (await bot.get(of_user(), token=second))[1]["data"] == 1


async def test_a_bot_is_served_its_own_records_alone(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        _, told = await bot.post(of_user(), "ours")
        assert await bot.get(of_user(), app=OTHER_APP) == NOTHING
        await bot.post(of_user(), "theirs", told["eTag"], app=OTHER_APP)
        assert await bot.delete(of_user(), app=OTHER_APP) == (200, [USER])
        assert await bot.get(of_user()) == (200, told)
        assert (await bot.get(of_user(), app=STRANGER))[0] == 403


async def test_without_the_app_id_of_a_bot_there_is_no_such_service(tmp_path: Path) -> None:
    async with state_service(tmp_path, bot_state_apps=None) as bot:
        assert (await bot.get(of_user()))[0] == 404


async def test_in_development_no_token_is_looked_at(tmp_path: Path) -> None:
    async with state_service(tmp_path, dev=True, bot_state_apps=None) as bot:
        await bot.post(of_user(), 1, authorization="")
        assert await kept(bot, of_user()) == 1


async def test_a_bot_keeps_no_more_records_than_the_settings_allow(tmp_path: Path) -> None:
    async with state_service(tmp_path, bot_state_records=2) as bot:
        for user in ("a", "b"):
            await bot.post(of_user(user), 1)
        status, told = await bot.post(of_user("c"), 1)
        assert (status, told["error"]["code"]) == (507, "TooManyRecords")
        assert (await bot.post(of_user("a"), 2))[0] == 200
        assert (await bot.post(of_user("c"), 1, app=OTHER_APP))[0] == 200


async def test_other_methods_and_addresses_lead_nowhere(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        for method, path in (("DELETE", of_conversation()), ("DELETE", in_private()), ("PUT", of_user())):
            status, told = await bot.send(method, path, json.dumps({}).encode())
            assert (status, told["error"]["code"]) == (405, "method")
        for path in ("", "skype", "skype/users", "skype/users/a/b", "skype/Users/a", "skype/conversations/a/users"):
            assert (await bot.get(f"/v3/botstate/{path}"))[0] == 404
