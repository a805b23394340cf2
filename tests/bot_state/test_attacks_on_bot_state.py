"""What strangers, and bots that are served, could try at the state service; each gets a refusal and changes nothing."""

import asyncio
import base64
import gzip
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from tests.bot_state.state_world import APP, OTHER_APP, STRANGER, USER, in_private, of_user, state_service
from tests.fakes.bot_login import AUDIENCE, BotLogin
from tests.fakes.identity import private_key
from tests.server.harness import connected, read_answer, request
from tests.waiting import Clock

SECRET = "a token of the user's"


def code(told: tuple[int, Any]) -> tuple[int, str]:
    status, answer = told
    return status, answer["error"]["code"]


def unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "key"}).encode()).decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


FORGED: Sequence[tuple[str, Callable[[BotLogin], str], int]] = [
    ("no token", lambda login: "", 401),
    ("basic", lambda login: "Basic YTpi", 401),
    ("garbage", lambda login: "Bearer a.b.c", 401),
    ("two tokens", lambda login: f"Bearer {login.bot_token(APP)}, Bearer {login.bot_token(APP)}", 401),
    ("a byte over 0x7f", lambda login: "Bearer a.b.\u00e9", 401),
    ("too long", lambda login: f"Bearer {'a' * 7000}.b.c", 401),
    ("unknown key", lambda login: f"Bearer {login.bot_token(APP, headers={'kid': 'another'})}", 401),
    ("another's signature", lambda login: f"Bearer {login.bot_token(APP, key=private_key(9))}", 401),
    ("HS256 by the public key", lambda login: f"Bearer {login.bot_token(APP, alg='HS256', key=b'n' * 40)}", 401),
    ("alg none", lambda login: f"Bearer {unsigned(login.bot_token(APP))}", 401),
    ("RS512", lambda login: f"Bearer {login.bot_token(APP, alg='RS512')}", 401),
    ("its own key", lambda login: f"Bearer {login.bot_token(APP, key=private_key(9), headers={'jwk': {}})}", 401),
    ("a foreign issuer", lambda login: f"Bearer {login.bot_token(APP, iss='https://sts.windows.net/other/')}", 401),
    ("an issuer that is a list", lambda login: f"Bearer {login.bot_token(APP, iss=['https://sts.windows.net/'])}", 401),
    ("that of a connector", lambda login: f"Bearer {login.bot_token(APP, iss=AUDIENCE, aud=APP)}", 401),
    ("a foreign audience", lambda login: f"Bearer {login.bot_token(APP, aud='https://graph.microsoft.com')}", 401),
    ("several audiences", lambda login: f"Bearer {login.bot_token(APP, aud=[AUDIENCE])}", 401),
    ("no end", lambda login: f"Bearer {login.bot_token(APP, exp=None)}", 401),
    ("expired", lambda login: f"Bearer {login.bot_token(APP, exp=int(time.time()) - 360)}", 401),
    ("not yet good", lambda login: f"Bearer {login.bot_token(APP, nbf=int(time.time()) + 360)}", 401),
    ("no bot", lambda login: f"Bearer {login.bot_token(APP, appid=None)}", 403),
    ("another bot", lambda login: f"Bearer {login.bot_token(STRANGER)}", 403),
    ("a bot in the claim of the other version", lambda login: f"Bearer {login.bot_token(STRANGER, azp=APP)}", 403),
    ("no version", lambda login: f"Bearer {login.bot_token(APP, ver=None)}", 403),
    ("a version that is a list", lambda login: f"Bearer {login.bot_token(APP, ver=['1.0'])}", 403),
    ("a bot that is a list", lambda login: f"Bearer {login.bot_token(APP, appid=[APP])}", 403),
]


async def test_forged_tokens_and_those_of_others_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with state_service(tmp_path) as bot:
        _, told = await bot.post(of_user(), SECRET)
        await bot.login.stop()  # of its keys, nobody is asked for each forged one
        answers = {}
        for name, made, _ in FORGED:
            header = made(bot.login)
            answers[name] = (await bot.send("GET", of_user(), authorization=header, headers=[]))[0]
            assert (await bot.post(of_user(), 1, authorization=header))[0] == answers[name]
            assert (await bot.delete(of_user(), authorization=header))[0] == answers[name]
        known = {"unknown key": 503}  # the keys may have been changed just now
        assert answers == {name: known.get(name, status) for name, _, status in FORGED}
        assert await bot.get(of_user()) == (200, told)
    assert not [record for record in caplog.records if record.exc_info]


async def test_who_knows_the_tag_of_another_bot_has_nothing_of_it(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        _, told = await bot.post(of_user(), SECRET)
        await bot.post(in_private(), SECRET)
        assert await bot.post(of_user(), "mine", told["eTag"], app=OTHER_APP) != told
        assert await bot.get(in_private(), app=OTHER_APP) == (200, {"data": None, "eTag": "*"})
        assert await bot.get(of_user()) == (200, told)


async def test_ids_that_are_none_are_refused(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        long = "a" * 513
        for odd in ("%00", "a%0A", "%1b[2J", "%7F", "%c2%9b", "%ff", "%ed%a0%80", long, "%61" * 513, "", "%e9"):
            for path in (of_user("x").replace("/x", f"/{odd}"), f"/v3/botstate/{odd}/users/a", f"{in_private()}{odd}"):
                if path.endswith("29%3A1iFtpwQ"):
                    continue  # nothing odd was added
                assert code(await bot.get(path)) == (400, "BadArgument"), path
        assert (await bot.get(of_user("a" * 512)))[0] == 200
        assert (await bot.get(of_user("a" * 10_000)))[0] == 400


async def test_ids_that_mean_something_elsewhere_mean_nothing_here(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        _, told = await bot.post(of_user(), SECRET)
        for odd in ("..", ".", "../../calls", "users", "%2e%2e", "*", "' OR 1=1 --", '","'):
            assert await bot.get(of_user(odd)) == (200, {"data": None, "eTag": "*"})
            assert await bot.delete(of_user(odd)) == (200, [])
        assert await bot.get(of_user()) == (200, told)


BODIES: Sequence[tuple[bytes, int, str]] = [
    (b"", 400, "BadArgument"),
    (b"{", 400, "BadArgument"),
    (b"[]", 400, "BadArgument"),
    (b'{"data":1}{}', 400, "BadArgument"),
    (b'{"data":1,"eTag":7}', 400, "BadArgument"),
    (b'{"data":"\\ud800","eTag":"*"}', 400, "BadArgument"),
    (b'{"data":"\xff","eTag":"*"}', 400, "BadArgument"),
    (b'{"data":1' + b"0" * 5000 + b'.5e99,"eTag":"*"}', 400, "BadArgument"),
    (b'{"data":NaN}', 400, "BadArgument"),
    (b'{"data":' + b"[" * 15_000 + b"]" * 15_000 + b"}", 400, "BadArgument"),
    (b'{"data":' + b'{"a":' * 6_000 + b"1" + b"}" * 6_000 + b"}", 400, "BadArgument"),
    (b'{"data":"' + b"x" * 32_767 + b'"}', 400, "MessageSizeTooBig"),
    (b'{"data":1,"eTag":"' + b"x" * 70_000 + b'"}', 400, "MessageSizeTooBig"),
    (b'{"data":1,"more":"' + b"x" * 900_000 + b'"}', 400, "MessageSizeTooBig"),
]


async def test_bodies_that_are_none_keep_nothing(tmp_path: Path) -> None:
    async with state_service(tmp_path) as bot:
        _, told = await bot.post(of_user(), SECRET)
        for body, status, word in BODIES:
            assert code(await bot.send("POST", of_user(), body)) == (status, word), body[:40]
        assert await bot.get(of_user()) == (200, told)


async def test_compressed_bodies_and_other_types_are_not_read(tmp_path: Path) -> None:
    bomb = gzip.compress(json.dumps({"data": "x" * 50_000_000}).encode())
    async with state_service(tmp_path) as bot:
        for fields in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "identity"}, {"Content-Type": "text/plain"}):
            assert code(await bot.send("POST", of_user(), bomb, headers=fields)) == (415, "content-type")
        assert (await bot.get(of_user()))[1]["data"] is None


async def test_a_body_that_does_not_come_is_waited_for_5_seconds_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    with Clock.of_this_loop() as clock:
        async with state_service(tmp_path) as bot, connected(URL(bot.server.url).port) as (reader, writer):
            fields = {"Content-Type": "application/json", "Content-Length": "700"}
            token = bot.login.bot_token(APP)
            writer.write(request("POST", of_user(), b"", fields, token=token) + b'{"data":')
            reading = asyncio.create_task(read_answer(reader))
            for _ in range(20):  # more than may ask the store at the same time
                assert (await bot.get(of_user()))[0] == 200
            assert not reading.done()
            clock.turn(5.5)
            assert (await reading).status == 408


async def test_neither_data_nor_ids_nor_tokens_are_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with state_service(tmp_path) as bot:
        await bot.post(of_user(), SECRET)
        await bot.post(of_user(), SECRET, "a guess")
        await bot.post(of_user(), SECRET * 3000)
        await bot.send("POST", of_user(), b'{"data":"' + SECRET.encode())
        await bot.get(of_user(), app=STRANGER)
        await bot.delete(of_user())
        token = bot.login.bot_token(APP)
    said = "".join(f"{record.__dict__}" for record in caplog.records if record.name.startswith("ivr"))
    assert "refused" in said
    assert [word for word in (SECRET, USER, "29%3A", token[:40]) if word in said] == []


async def test_before_there_are_keys_nobody_is_let_in_and_nobody_is_refused_for_good(tmp_path: Path) -> None:
    async with state_service(tmp_path, bot_state_openid_metadata=("http://127.0.0.1:9/",)) as bot:
        assert code(await bot.get(of_user())) == (503, "no-keys")
