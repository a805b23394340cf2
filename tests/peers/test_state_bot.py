"""A bot on Microsoft's own SDK of that time keeps its state here: its tokens, its addresses, its compressed texts."""

import asyncio
import base64
import gzip
import json
import os
from pathlib import Path
from typing import Any

from tests.bot_state.state_world import APP, OTHER_APP, SECRETS, STRANGER, StateWorld, state_service
from tests.cli.stored_calls import ivr
from tests.peers.chat_peers import HERE, NODE, needs, node_chat
from tests.waiting import PATIENCE

USER = "/v3/botstate/skype/users/29%3A1iF%2Ftp%20wQ"
ROOM = "/v3/botstate/skype/conversations/19%3Aroom%40thread.skype"
PLACES = {
    "userData": USER,
    "conversationData": ROOM,
    "privateConversationData": f"{ROOM}/users/29%3A1iF%2Ftp%20wQ",
}
KEPT = {name: {"of": name, "text": "Grüße"} for name in PLACES}

pytestmark = [*needs("botbuilder"), *needs("offline-directline")]


async def bot(world: StateWorld, *steps: Any, app: str = APP, gzip: bool = False) -> list[Any]:
    """Let a bot do things one after the other, in a process of its own; return what it got."""
    settings = {
        "appId": app,
        "appPassword": SECRETS[app],
        "login": f"{world.login.base}/botframework.com/oauth2/v2.0/token",
        "state": world.server.url,
        "gzip": gzip,
        "steps": steps,
    }
    process = await asyncio.create_subprocess_exec(
        *(NODE or "node", "state_bot.js", json.dumps(settings)),
        cwd=HERE,
        # One of its parts is put in its place by a script of its package, which npm may be told not to run.
        env={**os.environ, "NODE_PATH": "node_modules/botbuilder"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # the SDK warns of its own age, and of that of the service
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    return [json.loads(line) for line in said.splitlines()]


def read(told: Any) -> dict[str, Any]:
    """Return what a bot has read, without the hashes that it makes for itself."""
    assert told["error"] is None
    return {name: value for name, value in told["data"].items() if not name.endswith("Hash")}


async def test_a_bot_finds_nothing_saves_all_three_and_finds_them_again_after_it_was_started_anew(
    tmp_path: Path,
) -> None:
    async with state_service(tmp_path) as world:
        before, saved, again = await bot(world, {"read": True}, {"save": KEPT}, {"read": True})
        assert read(before) == {name: {} for name in PLACES}
        assert saved["error"] is None
        assert read(again) == KEPT
        assert [read(one) for one in await bot(world, {"read": True})] == [KEPT]
        assert {name: (await world.get(path))[1]["data"] for name, path in PLACES.items()} == KEPT
        assert {form["client_id"] for form in world.login.logins} == {APP}


async def test_what_it_compresses_is_a_text_for_us_and_the_same_for_it(tmp_path: Path) -> None:
    async with state_service(tmp_path) as world:
        saved, again = await bot(world, {"save": KEPT}, {"read": True}, gzip=True)
        assert saved["error"] is None
        assert read(again) == KEPT
        for name, path in PLACES.items():
            text = (await world.get(path))[1]["data"]
            assert json.loads(gzip.decompress(base64.b64decode(text))) == KEPT[name]
        assert [read(one) for one in await bot(world, {"read": True})] == [KEPT]


async def test_another_bot_finds_nothing_of_it_and_a_stranger_is_refused(tmp_path: Path) -> None:
    async with state_service(tmp_path) as world:
        for name, path in PLACES.items():
            await world.post(path, KEPT[name])
        others, strangers = await asyncio.gather(
            bot(world, {"read": True}, app=OTHER_APP), bot(world, {"read": True}, {"save": KEPT}, app=STRANGER)
        )
        assert [read(one) for one in others] == [{name: {} for name in PLACES}]
        assert ["[403]" in one["error"] for one in strangers] == [True, True]


async def test_what_is_too_large_is_an_error_of_the_bot_s_and_keeps_what_was_there(tmp_path: Path) -> None:
    async with state_service(tmp_path) as world:
        large = {**KEPT, "userData": {"text": "x" * 40_000}}
        _, refused, again = await bot(world, {"save": KEPT}, {"save": large}, {"read": True})
        assert "[400]" in refused["error"]
        assert read(again) == KEPT


async def test_our_client_keeps_state_in_a_service_of_somebody_else(tmp_path: Path) -> None:
    """Offline-directline has such a service in memory; each write counts there, whatever its tag, and no deleting."""

    async def asked(*command: str) -> Any:
        told = await asyncio.to_thread(ivr, "botstate", *command, "--url", service)
        assert told.exit_code == 0, told.output
        return told.output

    async with node_chat(tmp_path, "web_chat.js", "http://127.0.0.1:9/", address=told_url) as service:
        for where in (["--user", "29:a b"], ["--conversation", "19:room"], ["--user", "29:a b", "--conversation", "r"]):
            assert json.loads(await asked("get", "skype", *where)) == {"data": None, "eTag": "*"}
            written = json.loads(await asked("set", "skype", *where, json.dumps(where)))
            assert written["data"] == where
            assert json.loads(await asked("get", "skype", *where)) == written
        assert "does not say what was deleted" in await asked("delete", "skype", "--user", "29:a b")


def told_url(line: bytes) -> str:
    return str(json.loads(line)["url"])
