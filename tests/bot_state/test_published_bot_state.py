"""Each published exchange of the state service, letter by letter: our server answers what was answered."""

import json
from pathlib import Path
from typing import Any

from tests.bot_state.state_world import APP, WIRE, StateWorld, state_service

BASE = "https://state.botframework.com"


def published(name: str) -> Any:
    (file,) = WIRE.glob(f"{name}-*.json")
    return json.loads(file.read_text("utf-8"))


async def answered(bot: StateWorld, exchange: Any) -> dict[str, Any]:
    """Send a published request with a token of ours, and return the answer as one is published."""
    asked = exchange["request"]
    assert asked["url"].startswith(BASE)
    body = json.dumps(asked["body"]).encode() if "body" in asked else None
    given = {name: value for name, value in asked["headers"].items() if name != "Authorization"}
    url, token = bot.server.url + asked["url"].removeprefix(BASE), bot.login.bot_token(APP)
    headers = {**given, "Authorization": f"Bearer {token}"}
    async with bot.session.request(asked["method"], url, data=body, headers=headers) as answer:
        told = await answer.json()
        return {"status": answer.status, "headers": {"Content-Type": answer.headers["Content-Type"]}, "body": told}


def test_every_exchange_is_used() -> None:
    assert {file.name[:2] for file in WIRE.glob("*.json")} == {"01", "02", "03"}


async def test_what_is_saved_of_a_user_and_of_a_conversation_and_read_again(tmp_path: Path) -> None:
    saving, reading, of_conversation = published("01"), published("02"), published("03")
    async with state_service(tmp_path) as bot:
        saved = await answered(bot, saving)
        tag = saved["body"]["eTag"]
        assert saved == with_tag(saving["response"], tag)
        assert (tag[:14], tag[-2:], len(tag)) == ("W/\"datetime'20", "'\"", len(saving["response"]["body"]["eTag"]))
        apart = await answered(bot, of_conversation)
        assert apart["status"] == 200
        assert apart["body"] == {"data": of_conversation["request"]["body"]["data"], "eTag": apart["body"]["eTag"]}
        assert await answered(bot, reading) == with_tag(reading["response"], tag)


def with_tag(response: Any, tag: str) -> dict[str, Any]:
    return {**response, "body": {**response["body"], "eTag": tag}}
